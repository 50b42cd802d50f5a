"""How far a whole tape has come: its connections, requests and webhooks, over all of them."""

from __future__ import annotations

from collections.abc import Iterator

from replay.player.deliveries import Deliveries
from replay.player.exchanges import Exchanges
from replay.player.line import Line
from replay.script import DeliveryScript, ExchangeScript, Script, SocketScript


class Progress:
    """What of `script` was begun, and what is left. Times are monotonic ns.

    `lines` are the connections by channel, `free` those that were not opened. `exchanges` and
    `deliveries` are set by whoever makes them.
    """

    exchanges: Exchanges
    deliveries: Deliveries

    def __init__(self, script: Script, commands: frozenset[str]) -> None:
        self.lines: dict[int, Line] = {}
        self.free = list(script.sockets)
        self.reached_ns = 0  # how far the parts of the tape reach that were begun
        self._commands = commands
        self._touched_ns = 0  # when the last request, answer or webhook passed
        self._begun: list[tuple[int, int, int]] = []  # step, when, when on the tape

    # What happens

    def begin(self, script: SocketScript | ExchangeScript | DeliveryScript, now: int) -> None:
        """A part of the tape is begun."""
        self._begun.append((script.seq, now, script.at_ns))
        self.reached_ns = max(self.reached_ns, script.end_ns)
        self._touched_ns = now

    def touch(self, now: int) -> None:
        """A request, its answer, a webhook or its answer passed."""
        self._touched_ns = now

    # What has happened

    def released(self, seq: int) -> int | None:
        """When the webhooks and commands that step `seq` of a socket waits for had come."""
        if not self.exchanges.was_asked(seq, self._commands):
            return None
        return self.deliveries.released(seq)

    def reached(self, step: DeliveryScript) -> bool:
        """Whether all has happened that was before a webhook."""
        if any(script.seq < step.seq for script in self.free):
            return False
        lines = [line for line in self.lines.values() if line.script.seq < step.seq]
        if not self._heard(step) or not all(line.reached(step.seq) for line in lines):
            return False
        return self.exchanges.reached(step.seq)

    def is_deaf(self) -> bool:
        """Whether no webhook waits for audio, so that it matters to its own connection only."""
        step = self.deliveries.next_step()
        return step is None or self._heard(step)

    def _heard(self, step: DeliveryScript) -> bool:
        """Whether all the sound has come that was before a webhook."""
        return all(
            line.over or line.ear.loud >= step.loud.get(line.script.channel, 0)
            for line in self.lines.values()
        )

    def pending(self, seq: int) -> str | None:
        """As `World.pending`."""
        return next(self._pending(seq), None)

    def _pending(self, seq: int) -> Iterator[str]:
        for script in self.free:
            if script.seq < seq:
                yield f"step {script.seq}, a WebSocket that is not open"
        for line in self.lines.values():
            if line.script.seq < seq and (found := line.pending(seq)):
                yield found
        if not self.exchanges.reached(seq):
            yield "a request or its answer"
        if self.deliveries.released(seq) is None:
            yield "a webhook or its answer"

    def latest_ns(self) -> int:
        """As `World.latest_ns`."""
        return max((self._touched_ns, *(line.latest_ns for line in self.lines.values())))

    def first_open(self) -> int | None:
        """As `World.first_open`."""
        seqs = [step.seq for line in self.lines.values() if (step := line.open_step())]
        webhook = self.deliveries.open_step()
        if webhook is not None:
            seqs.append(webhook.seq)
        return min(seqs, default=None)

    def begun_before(self, seq: int) -> tuple[int, int] | None:
        """As `World.begun_before`."""
        begun = max((each for each in self._begun if each[0] < seq), default=None)
        return None if begun is None else begun[1:]

    def open_line(self, channel: int) -> Line | None:
        """The connection of a channel, if it is open."""
        line = self.lines.get(channel)
        return None if line is None or line.over else line

    # What is left

    def rest(self) -> list[SocketScript | ExchangeScript]:
        """The connections that were not opened, and the first request that did not come."""
        return [*self.free, *self.exchanges.rest()]

    @property
    def is_over(self) -> bool:
        """Whether all was used, and every connection is closed."""
        over = all(line.over for line in self.lines.values()) and self.deliveries.over
        rest = self.free or self.exchanges.rest() or self.exchanges.is_awaiting_more
        return over and not rest
