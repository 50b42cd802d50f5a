"""Timelines: the pieces of audio that crossed a wire, laid out on the session's clock.

A lane is mono int16 whose sample 0 is the session's anchor (offset 0 ns). Two models make one:
`capture_lane` for what a client's microphone took up, `Playout` for what a listener heard of an
agent. Either needs only when each piece crossed and what it holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recorder.audio.pcm import resample

_SECOND = 1_000_000_000

JITTER_NS = 20_000_000
"""A piece of captured audio that crosses less than this after the one before ended follows it."""


class Piece(NamedTuple):
    """Audio that crossed at `at_ns` since the session's anchor: mono samples at `rate`."""

    at_ns: int
    samples: NDArray[np.int16]
    rate: int


@dataclass
class _Run:
    """Audio without a break from `start_ns`."""

    start_ns: int
    rate: int
    parts: list[NDArray[np.int16]] = field(default_factory=list)
    size: int = 0

    @property
    def end_ns(self) -> int:
        return self.start_ns + self.size * _SECOND // self.rate

    def append(self, samples: NDArray[np.int16]) -> None:
        self.parts.append(samples)
        self.size += samples.size

    def cut(self, at_ns: int) -> None:
        """Keep what lies before `at_ns`."""
        kept = max(0, (at_ns - self.start_ns) * self.rate // _SECOND)
        if kept < self.size:
            self.parts = [np.concatenate(self.parts)[:kept]]
            self.size = kept


def _render(runs: Sequence[_Run], rate: int, length: int | None = None) -> NDArray[np.int16]:
    """Runs at `rate`, silence between; `length` samples, or as many as they need."""
    laid = [
        (run.start_ns * rate // _SECOND, resample(np.concatenate(run.parts), run.rate, rate))
        for run in runs
        if run.size
    ]
    if length is None:
        length = max((at + audio.size for at, audio in laid), default=0)
    lane = np.zeros(length, dtype=np.int16)
    for at, audio in laid:
        fitting = audio[: max(0, length - at)]
        lane[at : at + fitting.size] = fitting
    return lane


class Playout:
    """What a listener heard: the playout model of an agent's lane.

    Agents send faster than real time, so arrival is not hearing. The model has no pre-buffer and
    a clock of speed 1: a piece plays when it arrives or when what was queued before it has been
    played, whichever is later. An interruption drops the queue at the moment the listener's side
    decided it; what had been played stays. Calls come in the order of their times.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._runs: list[_Run] = []

    @property
    def end_ns(self) -> int:
        """When all that was queued so far has been played; 0 before the first piece."""
        return self._runs[-1].end_ns if self._runs else 0

    def add(self, at_ns: int, samples: NDArray[np.int16]) -> None:
        """Queue mono samples that arrived at `at_ns`."""
        if not samples.size:
            return
        if not self._runs or at_ns > self.end_ns:
            self._runs.append(_Run(at_ns, self._rate))
        self._runs[-1].append(samples)

    def drop(self, at_ns: int) -> None:
        """Forget what is queued and not played at `at_ns`."""
        while self._runs and self._runs[-1].start_ns >= at_ns:
            self._runs.pop()
        if self._runs:
            self._runs[-1].cut(at_ns)

    def render(self, rate: int, end_ns: int) -> NDArray[np.int16]:
        """The lane at `rate` from offset 0 to `end_ns`; later audio is cut off."""
        return _render(self._runs, rate, end_ns * rate // _SECOND)


def capture_lane(pieces: Iterable[Piece], rate: int) -> NDArray[np.int16]:
    """The lane of a client that captures in real time, at `rate`, as long as its audio.

    A piece starts when it crossed, if its sender kept time, and never overlaps the one before.
    It cannot have been taken up later than it crossed, so a run of audio is moved back until none
    of its pieces starts after it crossed, as far as the run before it (or offset 0) leaves room:
    a burst after a stall fills the stall. A gap below `JITTER_NS` is jitter and is closed.
    `pieces` come in the order in which they crossed.
    """
    return _render(_joined(_captured(pieces)), rate)


def capture_starts(pieces: Sequence[Piece]) -> list[int]:
    """Where each piece begins in that lane: ns since the session's anchor."""
    starts = (
        run.start_ns + at * _SECOND // run.rate
        for run in _captured(pieces)
        for at in accumulate((part.size for part in run.parts[:-1]), initial=0)
    )
    return [next(starts) if piece.samples.size else piece.at_ns for piece in pieces]


def _captured(pieces: Iterable[Piece]) -> list[_Run]:
    runs: list[_Run] = []
    floor = 0
    for at_ns, samples, piece_rate in pieces:
        if not samples.size:
            continue
        end = runs[-1].end_ns if runs else 0
        if not runs or runs[-1].rate != piece_rate or at_ns - end >= JITTER_NS:
            floor = end
            runs.append(_Run(max(at_ns, end), piece_rate))
        run = runs[-1]
        latest = run.start_ns + at_ns - run.end_ns
        run.start_ns = max(floor, min(run.start_ns, latest))
        run.append(samples)
    return runs


def _joined(runs: Iterable[_Run]) -> list[_Run]:
    """Neighbours without a gap made one, so that resampling sees no edge between them."""
    joined: list[_Run] = []
    for run in runs:
        before = joined[-1] if joined else None
        if before and run.start_ns <= before.end_ns and run.rate == before.rate:
            before.parts += run.parts
            before.size += run.size
        else:
            joined.append(run)
    return joined


def stereo(left: NDArray[np.int16], right: NDArray[np.int16]) -> NDArray[np.int16]:
    """Two lanes as frames of shape (n, 2), the shorter one padded with silence."""
    frames = np.zeros((max(left.size, right.size), 2), dtype=np.int16)
    frames[: left.size, 0] = left
    frames[: right.size, 1] = right
    return frames
