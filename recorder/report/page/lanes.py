"""The sound of a session as a page draws it: envelopes, and what waited in the player."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from recorder.audio.lanes import stereo
from recorder.hearing import Heard, Lanes, Stop

RATE: Final = 16_000
"""Samples a second of what is drawn and played."""
POINTS: Final = 1_200
"""Of an envelope, at most."""
_MS = 1_000_000
_FULL = 32_768
_LEVELS = 127  # of an envelope, to either side of 0


def envelope(lane: NDArray[np.int16], length: int, points: int = POINTS) -> list[list[int]]:
    """Least and greatest sample of each of at most `points` equal parts of `length` samples, where
    ±127 is full scale. Silence after the lane's end is 0."""
    count = min(points, length)
    if not count:
        return []
    padded = np.zeros(length, dtype=np.int16)
    padded[: min(lane.size, length)] = lane[:length]
    starts = np.arange(count) * length // count
    low, high = np.minimum.reduceat(padded, starts), np.maximum.reduceat(padded, starts)
    scaled = np.rint(np.stack([low, high], axis=1).astype(np.float64) * _LEVELS / _FULL)
    return [[int(each[0]), int(each[1])] for each in scaled]


def drawn(lanes: Lanes) -> tuple[dict[str, Any], NDArray[np.int16] | None]:
    """Both lanes for the page, and their samples (user, agent) at `RATE`; None without audio."""
    if lanes.is_silent:
        return {"user": None, "agent": None, "buffer": None, "stalls": [], "unheard": []}, None
    user, agent = lanes.sides(RATE)
    frames = stereo(user, agent)
    total = len(frames)
    depth, stalls, unheard = _player(lanes)
    has_agent = any(isinstance(each, Heard) for each in lanes.played)
    facts = {
        "end_ms": round(total * 1000 / RATE, 3),
        "user": envelope(user, total) if lanes.captured else None,
        "agent": envelope(agent, total) if has_agent else None,
        "buffer": _sampled(depth, total * 1000 / RATE) if has_agent else None,
        "stalls": [[round(start, 3), round(end, 3)] for start, end in stalls],
        "unheard": [[round(at, 3), round(ms, 3)] for at, ms in unheard],
    }
    return facts, frames


_Pairs = list[tuple[float, float]]


def _player(lanes: Lanes) -> tuple[_Pairs, _Pairs, _Pairs]:
    """How much waited in the player as corners (ms, ms); when it ran dry within a stream (from,
    to); what was dropped or came too late to be heard (when, how much)."""
    depth: _Pairs = [(0.0, 0.0)]
    stalls: _Pairs = []
    unheard: _Pairs = []
    free, stream = 0.0, ""
    for each in lanes.played:
        at = each.at_ns / _MS
        if free < at:
            depth.append((free, 0.0))
        waiting = max(0.0, free - at)
        depth.append((at, waiting))
        if isinstance(each, Stop):
            depth.append((at, 0.0))
            unheard.append((at, waiting))
            free, stream = min(free, at), ""
            continue
        if stream == each.stream and stream and at > free + 1:
            stalls.append((free, at))
        free, stream = max(free, at) + _ms(each), each.stream
        depth.append((at, free - at))
    depth.append((free, 0.0))
    return depth, stalls, _with_late(unheard, lanes.unheard)


def _with_late(stops: _Pairs, late: Sequence[Heard]) -> _Pairs:
    """The stops with what still came after each of them; those that cost nothing left out."""
    found = [[at, ms] for at, ms in stops]
    for piece in late:
        before = [each for each in found if each[0] <= piece.at_ns / _MS]
        if before:
            before[-1][1] += _ms(piece)
    return [(at, ms) for at, ms in found if ms > 0]


def _ms(piece: Heard) -> float:
    return piece.frames.size * 1000 / piece.rate


def _sampled(depth: _Pairs, end_ms: float) -> list[int]:
    """The greatest depth (ms) in each of `POINTS` equal parts of the session."""
    times = np.array([at for at, _ in depth])
    values = np.array([ms for _, ms in depth])
    edges = np.linspace(0.0, end_ms, POINTS + 1)
    found = np.interp(edges, times, values)
    greatest = np.maximum(found[:-1], found[1:])
    places = np.clip(np.searchsorted(edges, times, side="right") - 1, 0, POINTS - 1)
    np.maximum.at(greatest, places, values)
    return [round(float(each)) for each in greatest]
