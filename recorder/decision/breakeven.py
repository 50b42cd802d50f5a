"""Where two providers cost the same: at which share of cached input, and after how many months."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Kind(NamedTuple):
    """Input of one kind (text, audio): tokens in all, those of them that were cached, and dollars a
    token, fresh and cached."""

    tokens: float
    cached: float
    fresh_usd: float
    cached_usd: float


class Curve(NamedTuple):
    """What a minute costs as a function of the share of the input that is cached."""

    other_usd: float
    kinds: Sequence[Kind]
    minutes: float

    @property
    def measured(self) -> float | None:
        """The share that was cached; None without any input."""
        tokens = sum(each.tokens for each in self.kinds)
        return sum(each.cached for each in self.kinds) / tokens if tokens else None

    def per_minute(self, share: float) -> float:
        """Dollars a minute, with the same share of each kind cached."""
        inputs = sum(
            each.tokens * ((1 - share) * each.fresh_usd + share * each.cached_usd)
            for each in self.kinds
        )
        return (self.other_usd + inputs) / self.minutes

    def even_at(self, per_minute: float) -> float | None:
        """The share at which a minute costs so much; None where no share does."""
        at_none, at_all = self.per_minute(0.0), self.per_minute(1.0)
        if at_none == at_all:
            return None
        share = (at_none - per_minute) / (at_none - at_all)
        return share if 0 <= share <= 1 else None


def months_to_pay_back(effort_usd: float, saved_a_month: float) -> float | None:
    """After how many months an effort has paid; None where nothing is saved."""
    return effort_usd / saved_a_month if saved_a_month > 0 else None
