"""What a recorded conversation would have cost with the other providers, model by model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from recorder.pricing import PriceBook
from recorder.pricing.conversation import Assumptions, Conversation
from recorder.pricing.estimate import Bill, Chain, by_second, chain, realtime
from recorder.report import bills
from recorder.report.tables import Column, table

_WAYS = (("openai", "model"), ("openai-live", "session"), ("vapi", "model"))


def other_bills(
    talk: Conversation,
    own: frozenset[str],
    book: PriceBook,
    assumed: Assumptions,
    transcriber: str | None,
    parts: Chain,
) -> Iterator[Bill]:
    """The conversation on every model of the book whose provider is not among `own`."""
    for each in book.entries:
        way = (each.provider, each.component)
        if way not in _WAYS or each.provider in own:
            continue
        if each.provider == "openai":
            yield realtime(talk, each.model, assumed, book, transcriber)
        elif each.provider == "vapi":
            yield chain(talk, each.model, assumed, book, parts)
        else:
            yield by_second(talk, each.model, book)


def elsewhere_table(found: list[Bill], width: int | None) -> list[str]:
    """One line a model; `~` marks what rests on rough prices."""
    columns = (Column("PROVIDER"), Column("MODEL", 12), Column("USD", right=True))
    cells = [
        (each.provider, each.model, f"{'~' if each.is_rough else ''}{bills.dollars(each.usd)}")
        for each in found
    ]
    return table(columns, cells, width)


def elsewhere_facts(found: list[Bill]) -> list[dict[str, Any]]:
    """The same for machines."""
    return [
        {
            "provider": each.provider,
            "model": each.model,
            "usd": bills.plain(each.usd),
            "is_rough": each.is_rough,
        }
        for each in found
    ]
