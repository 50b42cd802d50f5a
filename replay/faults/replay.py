"""A player behind faults, and what the replay then comes to."""

from __future__ import annotations

from collections.abc import Sequence

from recorder.events import Machine, Message
from recorder.providers.base import Provider
from replay.faults.grammar import Fault
from replay.faults.ledger import idle, told
from replay.faults.machine import Faulty
from replay.faults.meaning import check_steps
from replay.player import Player
from replay.report import Failure, Missing, Tally, cut

_LINES = 11
_WIDTH = 120
_LEAVES_ALL = frozenset({"delay", "drip", "duplicate", "swap"})  # nothing is lost by these


class FaultyReplay(Faulty):
    """A replay with faults.

    What the client sends is compared as without them. What it does not do after a fault that took
    something from it (a connection, a message, an answer) is not held against it: the replay is
    then `ended` by that fault. The same holds when nothing comes within `patience_s` of a refusal.
    `machine` is the player in a wrapping of its own, if it has one. RecorderError if a fault is for
    a step that the tape does not have.
    """

    def __init__(
        self,
        player: Player,
        faults: Sequence[Fault],
        provider: Provider,
        *,
        seed: int = 1,
        patience_s: float = 15.0,
        machine: Machine | None = None,
    ) -> None:
        super().__init__(machine or player, faults, provider, seed=seed, tape=player)
        check_steps(faults, player.last_step)
        self._player, self._faults = player, faults
        self._patience_ns = round(patience_s * 1e9)
        self._latest_ns = 0  # when something came, or a fault was applied
        self._is_quiet = False

    # The machine

    def receive(self, message: Message, now: int) -> None:
        """Take one message of the client."""
        self._latest_ns = now
        super().receive(message, now)

    def due(self, now: int) -> list[Message]:
        """What is to be sent by `now`."""
        self.is_off = self._player.failure is not None
        quiet_ns = self._quiet_ns()
        self._is_quiet = self._is_quiet or (quiet_ns is not None and quiet_ns <= now)
        return super().due(now)

    def next_deadline(self) -> int | None:
        """When there is more, or the wait for the client ends."""
        at_ns = super().next_deadline()
        return self._quiet_ns() if at_ns is None else at_ns

    def _quiet_ns(self) -> int | None:
        """When the wait ends for a client that a fault left without a connection."""
        if not self.applied or self.finished or super().next_deadline() is not None:
            return None
        return self._latest_ns + self._patience_ns

    # The end

    @property
    def finished(self) -> bool:
        """Whether all is over."""
        is_over = self._player.finished or self._is_quiet
        return is_over and self._wire.deadline() is None

    @property
    def failure(self) -> Failure | None:
        """What the client did wrong."""
        found = self._player.failure
        return None if isinstance(found, Missing) and self._took_something else found

    @property
    def ended(self) -> bool:
        """Whether a fault ended the replay before the tape was used up."""
        if self.failure:
            return False
        is_cut = any(each.ends for each in self.applied)
        return is_cut or self._is_quiet or self._player.failure is not None

    @property
    def _took_something(self) -> bool:
        return any(each.name not in _LEAVES_ALL for each in self.applied)

    def give_up(self, reason: str) -> None:
        """End a replay that was not finished, such as by a signal."""
        if not self.finished:
            self._player.give_up(reason)

    def reached_at(self, url: str) -> None:
        """Tell the URL of the server that this runs behind."""
        self._player.reached_at(url)

    @property
    def steps(self) -> Tally:
        """As `Player.steps`."""
        return self._player.steps

    def report(self) -> str:
        """As `Player.report`, with the faults that were applied, in under 12 lines."""
        first, *rest = self._player.report().splitlines()
        others = self.applied
        if self.ended:
            last = max(others, key=lambda each: (each.ends, each.name not in _LEAVES_ALL))
            others = [each for each in others if each is not last]
            first = f"replay ended by fault {last}"
            missing = self._player.failure
            rest = [line for line in rest if not line.startswith("  ")]
            rest += [f"note: {cut(missing.headline)}"] if missing else []
        if not self.failure:  # else it may not have come to them
            rest += [f"note: {cut(each)}" for each in idle(self._faults, self.applied)]
        faults = told(others)
        room = max(2, _LINES - 1 - len(rest))
        if len(faults) > room:
            faults = [*faults[: room - 1], f"… and {len(faults) - room + 1} more"]
        lines = [cut(first, 2 * _WIDTH), *(f"fault: {cut(line)}" for line in faults), *rest]
        return "\n".join(lines[:_LINES])
