"""What a provider says was used, and what it says it charged: counted here, priced elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal, NamedTuple, Protocol

Unit = Literal["token", "second", "minute", "character", "event"]


class Quantity(NamedTuple):
    """How much of what. `meter` is what is counted: `text_in`, `text_cached`, `text_out` and the
    same for audio and image, `text_written` (put into a cache), `duration`, `active`, `standby`,
    `characters`. Input is counted without what was cached or written."""

    meter: str
    amount: Decimal
    unit: Unit


class Usage(NamedTuple):
    """What one component used.

    `key`: what the usage is of (`response resp_…`, `transcript item_…/0`, `call`); later usage of
    the same key replaces earlier.
    `component`: `model`, `transcriber`, `voice`, `transport`, `vapi`, …
    `usd`: what the provider says it charged for all of it; None where it tells quantities only.
    `note`: what is wrong or assumed, in a sentence.
    """

    key: str
    component: str
    model: str | None
    quantities: tuple[Quantity, ...]
    usd: Decimal | None = None
    note: str = ""


class UsageReader(Protocol):
    """Follows one session's messages in order; never raises on what it does not know."""

    def read(self, type_: str, message: Mapping[str, Any]) -> Sequence[Usage]:
        """What a message says was used: nothing for most. `message` is the JSON of a message, or
        of an HTTP body, and `type_` the event's type. All usage of a key comes together."""
        ...


def unreported(key: str, component: str, model: str | None, what: str) -> Usage:
    """Usage that happened and was not told: it has no price, so that the total is not known."""
    quantity = Quantity("unreported", Decimal(1), "event")
    return Usage(key, component, model, (quantity,), note=f"{what} tells no usage")


def count(value: object) -> Decimal | None:
    """A count or an amount as JSON gave it; None for what is no number, or less than 0."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    number = Decimal(str(value))
    return number if number.is_finite() and number >= 0 else None
