"""`causal`: a message goes out when all has happened that it was caused by, and its gap is over."""

from __future__ import annotations

from replay.player.modes.base import Ahead, Lane, World
from replay.player.pace import Pace
from replay.script import DeliveryScript, Planned


class Causal:
    """The default. The client may run ahead of what is still to go out."""

    waits = True
    in_order = False
    follows = True

    def __init__(self, pace: Pace, world: World) -> None:
        self._pace, self._world = pace, world

    def when(self, lane: Lane, step: Planned) -> int | None:
        """The recorded gap after the latest of its causes."""
        opened = lane.opened(step)
        return None if opened is None else max(lane.clock, opened) + self._pace.scaled(step.gap_ns)

    def when_posted(self, script: DeliveryScript, opened_ns: int | None) -> int | None:
        """The recorded gap after the latest of its causes."""
        return None if opened_ns is None else opened_ns + self._pace.scaled(script.gap_ns)

    def is_held(self, lane: Lane, step: Planned) -> bool:
        """While it waits for a webhook or a command."""
        return lane.released(step.seq) is None and lane.awaited() is None

    def ahead(self, seq: int, what: str) -> Ahead | None:
        """The rules say what may come early."""
        return None

    def ahead_audio(self, lane: Lane) -> Ahead | None:
        """Audio may come as early as it likes."""
        return None

    def heard(self, lane: Lane) -> int:
        """Whenever a gate opens."""
        return lane.ear.opened

    def went(self, step: Planned | DeliveryScript, body: bytes) -> None:
        """Nothing depends on how much went out."""
