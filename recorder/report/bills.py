"""Bills and estimates, as text for people and as facts for machines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from recorder.pricing.compare import Comparison, Point, cached_ratio
from recorder.pricing.lines import CostLine, total
from recorder.pricing.plan import Offer
from recorder.report.tables import Column, table
from recorder.report.wording import printable

Beside = Sequence[tuple[CostLine, Decimal | None]]
_POINTS = 12  # of a curve that are shown


def dollars(usd: Decimal | None) -> str:
    """To a hundredth of a cent; `unpriced` for what is not known."""
    return "unpriced" if usd is None else f"${usd:.4f}"


def percent(ratio: Decimal | None) -> str:
    """A share in percent; a dash for none."""
    return "–" if ratio is None else f"{ratio * 100:.1f}%"


def plain(number: Decimal | None) -> str | None:
    """A number as text without an exponent; None stays None."""
    if number is None:
        return None
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def bill_table(beside: Beside, width: int | None) -> list[str]:
    """A bill by component and meter, with what the book says."""
    sums: dict[tuple[str, ...], tuple[Decimal, Decimal | None, Decimal | None]] = {}
    for line, listed in beside:
        key = (line.component, line.model or "?", line.meter, line.unit, line.charged_by)
        before = sums.get(key, (Decimal(0), Decimal(0), Decimal(0)))
        sums[key] = (
            before[0] + line.quantity,
            _plus(before[1], line.usd),
            _plus(before[2], listed),
        )
    columns = (
        Column("COMPONENT"),
        Column("MODEL", 12),
        Column("METER"),
        Column("QUANTITY", right=True),
        Column("UNIT"),
        Column("USD", right=True),
        Column("BY"),
        Column("BOOK", right=True),
    )
    cells = [
        (
            printable(part),
            printable(model),
            meter,
            _amount(amount),
            unit,
            dollars(usd),
            by,
            "–" if listed is None else dollars(listed),
        )
        for (part, model, meter, unit, by), (amount, usd, listed) in sums.items()
    ]
    return table(columns, cells, width) if cells else []


def _plus(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else one + other


def _amount(amount: Decimal) -> str:
    return f"{amount:,.4f}".rstrip("0").rstrip(".")


def growth_table(points: Sequence[Point], width: int | None) -> list[str]:
    """How a bill grew: at most a dozen of its events, the last one among them."""
    step = -(-len(points) // _POINTS) or 1
    shown = [*points[:-1:step], *points[-1:]]
    columns = (
        Column("EVENT", right=True),
        Column("SO FAR", right=True),
        Column("UNCACHED", right=True),
    )
    cells = [(str(each.seq), dollars(each.usd), dollars(each.uncached_usd)) for each in shown]
    return table(columns, cells, width)


def comparison_table(compared: Iterable[Comparison], width: int | None) -> list[str]:
    """Realtime models beside a call, and where they break even with it."""
    columns = (
        Column("MODEL", 12),
        Column("USD", right=True),
        Column("UNCACHED", right=True),
        Column("ALL CACHED", right=True),
        Column("EVEN AT CACHED", right=True),
        Column("EVEN AT TALK", right=True),
    )
    cells = [
        (
            printable(each.bill.model),
            dollars(each.bill.usd),
            dollars(each.uncached_usd),
            dollars(each.cached_usd),
            percent(each.even_cached_ratio),
            percent(each.even_talk_ratio),
        )
        for each in compared
    ]
    return table(columns, cells, width)


def offer_table(offers: Sequence[Offer], width: int | None) -> list[str]:
    """A plan on every model; `~` marks what rests on rough prices."""
    columns = (
        Column("PROVIDER"),
        Column("MODEL", 12),
        Column("TOTAL", right=True),
        Column("UNCACHED", right=True),
        Column("A MINUTE", right=True),
        Column("A CALL", right=True),
    )
    cells = [
        (
            each.bill.provider,
            printable(each.bill.model),
            _whole(each.usd, each.bill.is_rough),
            _whole(each.uncached_usd, each.bill.is_rough),
            dollars(each.usd_per_minute),
            dollars(each.bill.usd),
        )
        for each in offers
    ]
    return table(columns, cells, width)


def _whole(usd: Decimal | None, is_rough: bool) -> str:
    return "unpriced" if usd is None else f"{'~' if is_rough else ''}${usd:,.2f}"


def curve_table(offers: Sequence[Offer], width: int | None) -> list[str]:
    """What one conversation has cost after so many minutes: as assumed / with nothing cached."""
    marks = offers[0].curve if offers else ()
    columns = (
        Column("MODEL", 12),
        *(Column(f"{mark.minutes} MIN", right=True) for mark in marks),
    )
    cells = [
        (
            printable(each.bill.model),
            *(_both(point.usd, point.uncached_usd) for point in each.curve),
        )
        for each in offers
    ]
    return table(columns, cells, width)


def _both(usd: Decimal | None, uncached: Decimal | None) -> str:
    if usd is None or uncached is None:
        return "unpriced"
    return f"{usd:.2f}" if usd == uncached else f"{usd:.2f}/{uncached:.2f}"


def remarks(notes: Iterable[str], unpriced: Iterable[str]) -> Iterator[str]:
    """Warnings and notes, each once."""
    yield from (f"unpriced: {printable(each)}" for each in dict.fromkeys(unpriced))
    yield from (f"note: {printable(each)}" for each in dict.fromkeys(notes))


def line_facts(line: CostLine) -> dict[str, Any]:
    """One line of a bill for machines: numbers as text, so that they stay exact."""
    facts = line._asdict()
    return {**facts, "quantity": plain(line.quantity), "usd": plain(line.usd)}


def bill_facts(beside: Beside, points: Sequence[Point]) -> dict[str, Any]:
    """A recorded bill for machines."""
    lines = [line for line, _ in beside]
    return {
        "usd": plain(total(lines)),
        "cached_ratio": plain(cached_ratio(lines)),
        "lines": [{**line_facts(line), "listed_usd": plain(listed)} for line, listed in beside],
        "curve": [
            {"seq": each.seq, "usd": plain(each.usd), "uncached_usd": plain(each.uncached_usd)}
            for each in points
        ],
    }


def comparison_facts(compared: Comparison) -> dict[str, Any]:
    """A comparison for machines."""
    return {
        "model": compared.bill.model,
        "usd": plain(compared.bill.usd),
        "uncached_usd": plain(compared.uncached_usd),
        "cached_usd": plain(compared.cached_usd),
        "even_cached_ratio": plain(compared.even_cached_ratio),
        "even_talk_ratio": plain(compared.even_talk_ratio),
        "lines": [line_facts(line) for line in compared.bill.lines],
    }


def offer_facts(offer: Offer) -> dict[str, Any]:
    """A planned way for machines; `lines` and `curve` are of one conversation."""
    return {
        "provider": offer.bill.provider,
        "model": offer.bill.model,
        "usd": plain(offer.usd),
        "uncached_usd": plain(offer.uncached_usd),
        "usd_per_minute": plain(offer.usd_per_minute),
        "is_rough": offer.bill.is_rough,
        "lines": [line_facts(line) for line in offer.bill.lines],
        "curve": [
            {
                "minutes": each.minutes,
                "usd": plain(each.usd),
                "uncached_usd": plain(each.uncached_usd),
            }
            for each in offer.curve
        ],
    }
