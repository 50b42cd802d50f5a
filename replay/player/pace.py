"""How fast a tape is played, and how long the client is waited for."""

from __future__ import annotations

from typing import NamedTuple


class Pace(NamedTuple):
    """`speed` 1.0 is as recorded, None is at once; `patience_ns` bounds each wait for the client.
    A gap longer than `idle_cap_ns` on the tape is played as if it had been so long."""

    speed: float | None
    patience_ns: int
    idle_cap_ns: int | None = None

    def scaled(self, gap_ns: int) -> int:
        """A gap between two messages of the tape, as it is played."""
        if self.idle_cap_ns is not None:
            gap_ns = min(gap_ns, self.idle_cap_ns)
        return self.length(gap_ns)

    def length(self, time_ns: int) -> int:
        """A time of the tape at this speed."""
        if self.speed == 1.0:
            return time_ns
        return 0 if self.speed is None else int(time_ns / self.speed)
