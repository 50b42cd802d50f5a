"""A provider that is some way off: what goes to it and comes from it takes time."""

from __future__ import annotations

from recorder.events import Machine, Message


class Distant:
    """`machine` with a way of `delay_ns` before it, each way, in order."""

    def __init__(self, machine: Machine, delay_ns: int) -> None:
        self._machine, self._delay = machine, delay_ns
        self._going: list[tuple[int, Message]] = []
        self._coming: list[tuple[int, Message]] = []

    def receive(self, message: Message, now: int) -> None:
        """Take one message, which arrives later."""
        self._going.append((now + self._delay, message))

    def due(self, now: int) -> list[Message]:
        """What has come back by `now`."""
        self._advance(now)
        arrived = [message for when, message in self._coming if when <= now]
        self._coming = [each for each in self._coming if each[0] > now]
        return arrived

    def _advance(self, now: int) -> None:
        """Let the machine live up to `now`, each thing at its own time."""
        while (when := self._next()) is not None and when <= now:
            while self._going and self._going[0][0] <= when:
                self._machine.receive(self._going.pop(0)[1], when)
            sent = self._machine.due(when)
            self._coming += [(when + self._delay, message) for message in sent]

    def _next(self) -> int | None:
        times = [self._machine.next_deadline(), *(when for when, _ in self._going[:1])]
        return min((when for when in times if when is not None), default=None)

    def next_deadline(self) -> int | None:
        """When something comes back, or happens over there."""
        times = [self._next(), *(when for when, _ in self._coming[:1])]
        return min((when for when in times if when is not None), default=None)
