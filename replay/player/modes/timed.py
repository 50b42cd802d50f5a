"""`timed`: everything goes out when it did on the tape, whatever the client does."""

from __future__ import annotations

from replay.player.modes.base import Lane
from replay.player.modes.causal import Causal
from replay.script import DeliveryScript, Planned


class Timed(Causal):
    """Recorded gaps, counted from the opening of a connection; a webhook's from what was begun
    before it. What the client sends is compared, but not waited for before the end."""

    waits = False
    follows = False

    def when(self, lane: Lane, step: Planned) -> int | None:
        """The recorded gap after the provider's message before it."""
        return lane.clock + self._pace.scaled(step.at_ns - lane.told_ns)

    def when_posted(self, script: DeliveryScript, opened_ns: int | None) -> int | None:
        """The recorded gap after the connection, request or webhook before it."""
        begun = self._world.begun_before(script.seq)
        if begun is None:
            return super().when_posted(script, opened_ns)
        live_ns, tape_ns = begun
        return live_ns + self._pace.scaled(script.at_ns - tape_ns)

    def is_held(self, lane: Lane, step: Planned) -> bool:
        """Never."""
        return False
