"""What measuring rests on: the read models of a session, and its audio on one clock.

All times are milliseconds since the session's anchor, at the recorder.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from recorder.audio.speech import Interval, Vad
from recorder.projections.marks import CostRow
from recorder.projections.rows import Models


class Arrival(NamedTuple):
    """A piece of the agent's audio as it came. `voiced_ms`: where in it the first sound is; None
    if it is silent. `played_ms`: when the listener heard it begin; None if it never did."""

    seq: int
    at_ms: float
    ms: float
    voiced_ms: float | None
    played_ms: float | None
    item: str


class Sent(NamedTuple):
    """A piece of the user's audio as the client sent it; `start_ms`: where it lies in the lane."""

    seq: int
    at_ms: float
    ms: float
    start_ms: float


class Dropped(NamedTuple):
    """The listener dropped what was not yet played."""

    seq: int
    at_ms: float


class Settings(NamedTuple):
    """What the values depend on. `deadline_ms`: an answer later than this counts as missed;
    `voiced_dbfs`: a sample above this is sound; `prebuffer_ms` of the listener's player."""

    vad: Vad = Vad()
    deadline_ms: float = 5_000.0
    voiced_dbfs: float = -70.0
    prebuffer_ms: float = 0.0
    dead_air_ms: float = 3_000.0


@dataclass(frozen=True)
class Evidence:
    """One session. Lanes are given as the intervals in which somebody speaks: what the user said
    into the microphone, and what the listener heard of the agent, by a playout model. `end_ms` is
    the last event; a tape without times (`is_timed` False) has no value that is a time.
    `references`: turn -> what the user really said, where a script tells. `clipped` is the share of
    the agent's samples at full scale."""

    models: Models
    user_speech: Sequence[Interval] = ()
    agent_speech: Sequence[Interval] = ()
    arrivals: Sequence[Arrival] = ()
    sent: Sequence[Sent] = ()
    dropped: Sequence[Dropped] = ()
    costs: Sequence[CostRow] = ()
    references: Mapping[int, str] = field(default_factory=dict)
    end_ms: float = 0.0
    wall_ms: float = 0.0
    is_timed: bool = True
    clipped: float | None = None
    settings: Settings = field(default_factory=Settings)

    def said(self, ms: float) -> int:
        """The event with what the user said at `ms`."""
        at = bisect_right(self.sent, ms, key=lambda piece: piece.start_ms)
        return self.sent[max(at - 1, 0)].seq

    def heard(self, ms: float) -> int:
        """The event with what was heard of the agent at `ms`."""
        after = bisect_right(self.arrivals, ms, key=lambda piece: piece.at_ms)
        before = (self.arrivals[at] for at in range(after - 1, -1, -1))
        return next(
            each.seq for each in before if each.played_ms is not None and each.played_ms <= ms
        )
