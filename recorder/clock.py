"""The only reader of time. Everything else takes `now` or reads it from an event."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """A source of time, in nanoseconds."""

    def now_ns(self) -> int:
        """Monotonic nanoseconds; only differences mean anything."""
        ...

    def wall_ns(self) -> int:
        """Nanoseconds since 1970-01-01 UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now_ns(self) -> int:
        return time.monotonic_ns()

    def wall_ns(self) -> int:
        return time.time_ns()


class VirtualClock:
    """A clock that moves only when told to."""

    def __init__(self, now_ns: int = 0, wall_ns: int = 1_800_000_000_000_000_000) -> None:
        self._now = now_ns
        self._offset = wall_ns - now_ns

    def now_ns(self) -> int:
        return self._now

    def wall_ns(self) -> int:
        return self._now + self._offset

    def advance_to(self, now_ns: int) -> None:
        """Move to `now_ns`; a moment in the past leaves the clock where it is."""
        self._now = max(self._now, now_ns)
