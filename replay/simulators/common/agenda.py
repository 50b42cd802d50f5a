"""What one conversation has yet to do, and when."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

Action = Callable[[int], None]


@dataclass(order=True)
class Entry:
    """An action at a time (ns); entries of one time keep the order in which they were made."""

    when: int
    turn: int
    action: Action = field(compare=False)
    cancelled: bool = field(default=False, compare=False)


class Agenda:
    """A queue of actions ordered by time."""

    def __init__(self) -> None:
        self._heap: list[Entry] = []
        self._turns = 0

    def at(self, when: int, action: Action) -> Entry:
        """Run `action(when)` once time has come; set `cancelled` on the entry to drop it."""
        self._turns += 1
        entry = Entry(when, self._turns, action)
        heapq.heappush(self._heap, entry)
        return entry

    def next(self) -> int | None:
        """When the next action is due, or None."""
        while self._heap and self._heap[0].cancelled:
            heapq.heappop(self._heap)
        return self._heap[0].when if self._heap else None

    def run(self, now: int) -> None:
        """Do all that is due by `now`, each at its own time."""
        while (when := self.next()) is not None and when <= now:
            heapq.heappop(self._heap).action(when)

    def clear(self) -> None:
        """Forget everything."""
        self._heap.clear()
