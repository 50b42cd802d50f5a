"""Which turn a message belongs to, and what the user said in it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from recorder.projections.rows import Models


class Turns:
    """The turns of one tape. Where a provider has none, everything is turn 0."""

    def __init__(self, models: Models) -> None:
        self._starts = [row.first_seq for row in models.turns]
        self._named = {row.item: row.turn for row in models.items if row.turn is not None}
        self._named |= {row.response: row.turn for row in models.responses}
        self.texts = tuple(row.user_text for row in models.turns)

    def at(self, seq: int) -> int:
        """The number of the turn that had begun at an event; 0 before the first."""
        return bisect_right(self._starts, seq)

    def of(self, seq: int, names: Iterable[str]) -> int:
        """The turn of a message at `seq` that names these ids: that of an answer or item among
        them, however late it comes."""
        return next((self._named[each] for each in names if each in self._named), self.at(seq))
