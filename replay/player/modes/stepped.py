"""`step`: nothing goes out before it is told to."""

from __future__ import annotations

from math import inf

from replay.player.modes.base import Lane, World
from replay.player.modes.causal import Causal
from replay.player.modes.until import Until
from replay.player.pace import Pace
from replay.script import DeliveryScript, Planned


class Stepped(Causal):
    """As `causal` without gaps, one message or webhook for each that was asked for, in the order of
    the tape. Answers to upgrades and requests are not held back, for a client waits for them."""

    follows = False

    def __init__(self, pace: Pace, world: World) -> None:
        super().__init__(pace, world)
        self._left: float = 0
        self._until: Until | None = None

    # What is asked for

    def advance(self, count: int) -> None:
        """Let so many more go out."""
        self._left = count if self._until or self._left == inf else self._left + count
        self._until = None

    def advance_until(self, test: Until) -> None:
        """Let all go out up to the first that a test holds for."""
        self._left, self._until = inf, test

    @property
    def left(self) -> int | None:
        """How many may go out; None while a test has to hold first."""
        return None if self._left == inf else int(self._left)

    # When it goes out

    def when(self, lane: Lane, step: Planned) -> int | None:
        """When it was caused, if it may go at all."""
        opened = lane.opened(step)
        if opened is None or not self._may_go(step.seq):
            return None
        return max(lane.clock, opened)

    def when_posted(self, script: DeliveryScript, opened_ns: int | None) -> int | None:
        """When it was caused, if it may go at all."""
        return opened_ns if opened_ns is not None and self._may_go(script.seq) else None

    def _may_go(self, seq: int) -> bool:
        return self._left > 0 and seq == self._world.first_open()

    def is_held(self, lane: Lane, step: Planned) -> bool:
        """While it waits to be told, or for something that is not of its connection."""
        if lane.awaited() is not None:
            return False
        return lane.released(step.seq) is None or (
            lane.opened(step) is not None and not self._may_go(step.seq)
        )

    def went(self, step: Planned | DeliveryScript, body: bytes) -> None:
        """One less, and the last if the test holds."""
        self._left -= 1
        if self._until and self._until.holds(step.type, body):
            self._left, self._until = 0, None
