"""A party under watch: what it costs, how long it takes, and what happens, told as it does."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from recorder.events import Message
from recorder.pricing import Meter
from recorder.trial.cues import Moment
from recorder.trial.sides.base import Party

_NS = 1_000_000_000
_HEAD = 80  # bytes of a message in which its type stands


class Watched:
    """`party`, which hangs up after `max_s`, or when more than `cap` is spent as far as the
    provider has told. `tell` gets each moment of its script."""

    def __init__(
        self,
        party: Party,
        meter: Meter,
        cap: Decimal | None,
        max_s: float,
        tell: Callable[[Moment], None],
    ) -> None:
        self.over_budget = False
        self._party, self._meter, self._cap, self._tell = party, meter, cap, tell
        self._max_ns = round(max_s * _NS)
        self._ends_at: int | None = None
        self._told = 0

    @property
    def finished(self) -> bool:
        """Whether the party is done."""
        return self._party.finished

    @property
    def known_usd(self) -> Decimal:
        """At least this much was spent."""
        return self._meter.known_usd

    def give_up(self, why: str, now: int) -> None:
        """Hang up."""
        self._party.give_up(why, now)

    def receive(self, message: Message, now: int) -> None:
        """What the provider says."""
        is_whole = message.kind == "ws.text" and b'.delta"' not in message.body[:_HEAD]
        has_cost = is_whole and self._count(message.body)  # a piece of something tells no usage
        self._party.receive(message, now)
        if self._cap is None or not has_cost or self.over_budget:
            return
        if self._meter.known_usd > self._cap:
            self.over_budget = True
            self._party.give_up(f"more than ${self._cap} is spent", now)

    def due(self, now: int) -> list[Message]:
        """What the caller says by `now`."""
        if self._ends_at is None:
            self._ends_at = now + self._max_ns
        if now >= self._ends_at and not self.finished:
            self._ends_at = now + self._max_ns
            self._party.give_up(f"it took longer than {self._max_ns / _NS:g} s", now)
        sent = self._party.due(now)
        for moment in self._party.moments[self._told :]:
            self._told += 1
            self._tell(moment)
        return sent

    def next_deadline(self) -> int | None:
        """When the party next acts, or has to end."""
        times = (self._party.next_deadline(), None if self.finished else self._ends_at)
        return min((when for when in times if when is not None), default=None)

    def _count(self, body: bytes) -> bool:
        """Whether a message adds to the bill."""
        try:
            found: Any = json.loads(body)
        except (ValueError, RecursionError):
            return False  # not JSON: it tells no usage
        if not isinstance(found, Mapping):
            return False
        return bool(self._meter.take(str(found.get("type", "")), found))
