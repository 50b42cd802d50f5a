"""How often to ask, and how long to wait before asking again."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime
from time import sleep

from recorder.clock import Clock

_NS = 1_000_000_000
_FIRST_S = 1.0
_MOST_S = 30.0
_SECONDS = re.compile(r"\d{1,9}")


class Pacer:
    """Leaves time between requests: `rate` a second, without a limit if None."""

    def __init__(
        self,
        clock: Clock,
        rate: float | None,
        wait: Callable[[float], None] = sleep,
        chance: random.Random | None = None,
    ) -> None:
        self._clock, self._wait = clock, wait
        self._gap_ns = round(_NS / rate) if rate else 0
        self._next_ns = clock.now_ns()
        self._chance = chance or random.Random()

    def turn(self) -> None:
        """Wait until the next request may go out."""
        now = self._clock.now_ns()
        if now < self._next_ns:
            self._wait((self._next_ns - now) / _NS)
        self._next_ns = max(now, self._next_ns) + self._gap_ns

    def back_off(self, failures: int, told_s: float | None = None) -> None:
        """Wait after the `failures`-th failure in a row (from 1): as long as was told, else 1 s,
        2 s, 4 s … 30 s, each shortened by up to a half by chance."""
        if told_s is not None:
            self._wait(told_s)
            return
        longest = min(_FIRST_S * 2 ** (failures - 1), _MOST_S)
        self._wait(longest * self._chance.uniform(0.5, 1))

    def retry_after_s(self, value: str | None) -> float | None:
        """What `Retry-After` says (RFC 9110, 10.2.3: seconds, or a date); None if nothing."""
        text = (value or "").strip()
        if _SECONDS.fullmatch(text):
            return float(text)
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return max(moment.timestamp() - self._clock.wall_ns() / _NS, 0.0)
