"""One conversation two ways: what a call on Vapi cost, and what Realtime would have cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from recorder.pricing.conversation import Assumptions, Conversation
from recorder.pricing.estimate import Bill, crossing, realtime
from recorder.pricing.lines import CostLine, known, total
from recorder.pricing.prices import PriceBook

_ZERO, _ALL = Decimal(0), Decimal(1)


class Comparison(NamedTuple):
    """A Realtime model for a conversation: as assumed, with nothing and with all of the repeated
    input cached; and where it costs as much as the call did: at which cached ratio, and at which
    share of the time in which somebody speaks. None: at no ratio, or a price is not known."""

    bill: Bill
    uncached_usd: Decimal | None
    cached_usd: Decimal | None
    even_cached_ratio: Decimal | None
    even_talk_ratio: Decimal | None


def compared(
    charged: Sequence[CostLine],
    talk: Conversation,
    model: str,
    assumed: Assumptions,
    book: PriceBook,
    transcriber: str | None = None,
) -> Comparison:
    """One Realtime model beside the bill of a call."""

    def usd(ratio: Decimal, of: Conversation = talk) -> Decimal | None:
        return realtime(of, model, assumed._replace(cached_ratio=ratio), book, transcriber).usd

    bill = realtime(talk, model, assumed, book, transcriber)
    paid, uncached, cached = total(charged), usd(_ZERO), usd(_ALL)
    if paid is None or uncached is None:
        return Comparison(bill, uncached, cached, None, None)
    fixed = known(line for line in charged if line.unit in ("minute", "second", "event"))

    def by_talk(ratio: Decimal) -> Decimal:
        other = usd(assumed.cached_ratio, talk.talking(ratio)) or _ZERO
        return other - (fixed + (paid - fixed) * ratio / talk.talk_ratio)

    return Comparison(
        bill,
        uncached,
        cached,
        crossing(lambda ratio: (usd(ratio) or _ZERO) - paid),
        crossing(by_talk) if talk.talk_ratio else None,
    )


class Point(NamedTuple):
    """The sum of a bill up to an event, and what it would be if nothing had been cached."""

    seq: int
    usd: Decimal | None
    uncached_usd: Decimal | None


def growth(lines: Iterable[CostLine], book: PriceBook) -> list[Point]:
    """How a recorded bill grew, event by event; None from the first unknown price on."""
    points: list[Point] = []
    usd: Decimal | None = _ZERO
    uncached: Decimal | None = _ZERO
    for line in sorted(lines, key=lambda each: each.seq):
        usd = None if usd is None or line.usd is None else usd + line.usd
        full = _uncached(line, book)
        uncached = None if uncached is None or full is None else uncached + full
        if points and points[-1].seq == line.seq:
            points.pop()
        points.append(Point(line.seq, usd, uncached))
    return points


def _uncached(line: CostLine, book: PriceBook) -> Decimal | None:
    if line.charged_by == "provider" or not line.meter.endswith("_cached"):
        return line.usd
    meter = line.meter.replace("_cached", "_in")
    price = book.price(line.provider, line.component, line.model, meter)
    return price.of(line.quantity, line.unit) if price else None


def cached_ratio(lines: Iterable[CostLine]) -> Decimal | None:
    """The share of a model's input tokens that was cached; None where it had none."""
    mine = [line for line in lines if line.component == "model"]
    cached = sum((each.quantity for each in mine if each.meter.endswith("_cached")), _ZERO)
    fresh = sum((each.quantity for each in mine if each.meter.endswith("_in")), _ZERO)
    return cached / (cached + fresh) if cached + fresh else None
