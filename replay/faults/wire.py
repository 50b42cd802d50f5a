"""What is on its way to the client: in order on each connection, and never before its time."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from itertools import count
from typing import NamedTuple

from recorder.events import Message
from replay.faults.selection import Chosen


class Held(NamedTuple):
    """A message that lets the next one pass, and when it goes out if none comes."""

    message: Message
    until_ns: int


@dataclass
class Lane:
    """One connection, or all webhooks. `free_ns` is when all before will have gone out."""

    free_ns: int = 0
    sent: int = 0  # messages of the machine, before any fault
    opened_ns: int | None = None
    held: Held | None = None
    opening: Chosen | None = None  # for the answer to the upgrade


class _Out(NamedTuple):
    at_ns: int
    number: int
    message: Message


class Wire:
    """What will go out, by time, then in the order in which it was put here."""

    def __init__(self) -> None:
        self._waiting: list[_Out] = []
        self._numbers = count()

    def put(self, message: Message, at_ns: int) -> None:
        """Have a message go out at a time, whatever else does."""
        heapq.heappush(self._waiting, _Out(at_ns, next(self._numbers), message))

    def follow(self, lane: Lane, message: Message, at_ns: int) -> None:
        """Have a message go out at a time, or once all before it on its connection has. The one
        that let it pass goes right after it."""
        lane.free_ns = max(at_ns, lane.free_ns)
        self.put(message, lane.free_ns)
        self.pass_on(lane, lane.free_ns)

    def pass_on(self, lane: Lane, at_ns: int) -> None:
        """Send the message that waits for another, if there is one."""
        if lane.held:
            message, lane.held = lane.held.message, None
            lane.free_ns = max(at_ns, lane.free_ns)
            self.put(message, lane.free_ns)

    def due(self, now: int) -> list[Message]:
        """What goes out by `now`."""
        sent: list[Message] = []
        while self._waiting and self._waiting[0].at_ns <= now:
            sent.append(heapq.heappop(self._waiting).message)
        return sent

    def deadline(self) -> int | None:
        """When the next one goes out."""
        return self._waiting[0].at_ns if self._waiting else None

    def lose(self, channel: int, now: int) -> None:
        """Lose what would go out on a channel after `now`."""
        kept = (
            each for each in self._waiting if each.message.channel != channel or each.at_ns <= now
        )
        self._waiting = list(kept)
        heapq.heapify(self._waiting)

    def hasten(self, channel: int, now: int) -> None:
        """Have all on a channel go out by `now`, in its order."""
        waiting, self._waiting = sorted(self._waiting), []
        for at_ns, _, message in waiting:
            self.put(message, min(at_ns, now) if message.channel == channel else at_ns)
