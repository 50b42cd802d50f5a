"""Where somebody speaks in a lane: intervals by energy, found after the fact.

Unlike `vad.EnergyVad`, which tells edges while it listens, this sees the whole lane, and places
the boundaries at the first and last loud frame.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_FULL_SCALE = 32768.0


class Vad(NamedTuple):
    """How speech is told from silence. `open_dbfs`: the level (RMS about the mean, 0 is full
    scale) at which it begins; once begun it goes on `hysteresis_db` below that. It has to last
    `open_ms`, and ends after `close_ms` of silence."""

    frame_ms: int = 10
    open_dbfs: float = -45.0
    hysteresis_db: float = 6.0
    open_ms: int = 50
    close_ms: int = 250


class Interval(NamedTuple):
    """Speech from `start_ms` to `end_ms`."""

    start_ms: float
    end_ms: float


def speech(lane: NDArray[np.int16], rate: int, vad: Vad) -> list[Interval]:
    """The intervals of a mono lane in which somebody speaks, in order."""
    size = rate * vad.frame_ms // 1000
    count = lane.size // size
    level = _levels(lane[: count * size].reshape(count, size))
    opens = level >= _FULL_SCALE * 10 ** (vad.open_dbfs / 20)
    holds = level >= _FULL_SCALE * 10 ** ((vad.open_dbfs - vad.hysteresis_db) / 20)
    wanted, allowed = -(-vad.open_ms // vad.frame_ms), -(-vad.close_ms // vad.frame_ms)
    found: list[Interval] = []
    at = 0
    loud = np.flatnonzero(opens)
    while (first := _run(loud, at, wanted)) is not None:
        last = _last(holds, first + wanted - 1, allowed)
        found.append(Interval(float(first * vad.frame_ms), float((last + 1) * vad.frame_ms)))
        at = last + 1
    return found


def _levels(frames: NDArray[np.int16]) -> NDArray[np.float64]:
    """The RMS about the mean of each frame; most of a lane is digital silence."""
    found = np.zeros(len(frames))
    sounds = frames.any(axis=1)
    found[sounds] = frames[sounds].std(axis=1, dtype=np.float64)
    return found


def _run(loud: NDArray[np.intp], start: int, wanted: int) -> int | None:
    """The first of `wanted` loud frames in a row, from frame `start` on."""
    rest = loud[np.searchsorted(loud, start) :]
    if rest.size < wanted:
        return None
    hits = np.flatnonzero(rest[wanted - 1 :] - rest[: rest.size - wanted + 1] == wanted - 1)
    return int(rest[hits[0]]) if hits.size else None


def _last(holds: NDArray[np.bool_], start: int, allowed: int) -> int:
    """The last frame that holds before `allowed` frames that do not."""
    held = np.flatnonzero(holds[start:]) + start
    gaps = np.flatnonzero(np.diff(held) > allowed)
    return int(held[gaps[0]] if gaps.size else held[-1])


def first_voiced_ms(samples: NDArray[np.int16], rate: int, dbfs: float) -> float | None:
    """Where the first sample louder than `dbfs` (peak) is, None if there is none."""
    if not np.count_nonzero(samples):
        return None
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > _FULL_SCALE * 10 ** (dbfs / 20))
    return float(loud[0]) * 1000 / rate if loud.size else None
