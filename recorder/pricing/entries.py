"""The entries of a price book: what a model costs by meter, from when to when, and who says so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final, Literal, NamedTuple

Basis = Literal["list", "measured", "estimate"]
"""A published price; what was paid on real bills; or somebody's estimate, for plans only."""

_DATE: Final = r"\d{4}-?\d{2}-?\d{2}"
_SECONDS: Final = {"second": Decimal(1), "minute": Decimal(60)}


class Price(NamedTuple):
    """`usd` for each `per` of `unit`."""

    usd: Decimal
    per: Decimal
    unit: str

    def of(self, amount: Decimal, unit: str) -> Decimal | None:
        """What an amount costs; None if it is counted in another unit. Time is converted."""
        if unit in _SECONDS and self.unit in _SECONDS:
            return self.usd * amount * _SECONDS[unit] / (self.per * _SECONDS[self.unit])
        return self.usd * amount / self.per if unit == self.unit else None


class Entry(NamedTuple):
    """The prices of one model in one use. `names` are the names that it goes by; in one, `{date}`
    stands for a date. It holds from `valid_from` on and no more on `valid_until`."""

    provider: str
    component: str
    names: tuple[str, ...]
    prices: Mapping[str, Price]
    basis: Basis
    source: str
    seen: date
    valid_from: date = date.min
    valid_until: date = date.max
    max_input_tokens: int | None = None

    @property
    def model(self) -> str:
        """Its name."""
        return self.names[0]

    def goes_by(self, name: str) -> bool:
        """Whether a provider means this entry by `name`."""
        return any(name_fits(each, name) for each in self.names)

    def holds_on(self, day: date) -> bool:
        """Whether these prices were in force."""
        return self.valid_from <= day < self.valid_until


def name_fits(pattern: str, name: str) -> bool:
    """Whether a name is the pattern, with a date for `{date}`."""
    if "{date}" not in pattern:
        return name == pattern
    return re.fullmatch(re.escape(pattern).replace(r"\{date\}", _DATE), name) is not None
