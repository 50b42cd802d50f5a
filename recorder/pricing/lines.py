"""One line of a bill."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Literal, NamedTuple


class CostLine(NamedTuple):
    """What a component used, and its price.

    `usd` is None where the price is not known. `charged_by`: the `provider` told the amount, or it
    is quantity times a price of the `book`. `price_book` is the book's name and date, None where
    the provider told the amount. `seq` is the event that tells what was used.
    """

    provider: str
    model: str | None
    component: str
    meter: str
    quantity: Decimal
    unit: str
    usd: Decimal | None
    charged_by: Literal["provider", "book"]
    price_book: str | None
    seq: int


def known(lines: Iterable[CostLine]) -> Decimal:
    """The sum of what has a price."""
    return sum((line.usd for line in lines if line.usd is not None), Decimal(0))


def total(lines: Iterable[CostLine]) -> Decimal | None:
    """The sum of a bill; None when a line has no price."""
    whole = list(lines)
    return None if any(line.usd is None for line in whole) else known(whole)
