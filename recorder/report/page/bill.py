"""The bill of a session for a page: by component, and as it grew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from recorder.projections.marks import CostRow
from recorder.report.turns import total


def dollars(usd: Decimal | None) -> str | None:
    """An amount as a decimal number in text."""
    return None if usd is None else f"{usd:f}"


def bill(rows: Sequence[CostRow], at_ms: Mapping[int, float]) -> dict[str, Any]:
    """`groups` of lines of one price, `steps` (ms, group, dollars) in order, the `total`, what is
    `known` of it, and how many lines have no price. `at_ms` of the events that the lines rest on.
    """
    groups: dict[tuple[Any, ...], list[CostRow]] = {}
    for row in rows:
        groups.setdefault(_key(row), []).append(row)
    places = {key: number for number, key in enumerate(groups)}
    steps = [[at_ms[row.seq], places[_key(row)], row.usd] for row in rows if row.seq in at_ms]
    priced = [row for row in rows if row.usd is not None]
    return {
        "groups": [_group(lines) for lines in groups.values()],
        "steps": sorted(steps, key=lambda step: step[0]),
        "total": dollars(total(rows)),
        "known": dollars(total(priced)),
        "unpriced": len(rows) - len(priced),
    }


def _key(row: CostRow) -> tuple[Any, ...]:
    kind = row.provider, row.component, row.model, row.meter, row.unit
    return (*kind, row.charged_by, row.price_book)


def _group(lines: Sequence[CostRow]) -> dict[str, Any]:
    first = lines[0]
    return {
        "provider": first.provider,
        "component": first.component,
        "model": first.model,
        "meter": first.meter,
        "unit": first.unit,
        "charged_by": first.charged_by,
        "price_book": first.price_book,
        "quantity": f"{sum((Decimal(line.quantity) for line in lines), Decimal(0)):f}",
        "usd": dollars(total(lines)),
        "lines": len(lines),
        "first": min(line.seq for line in lines),
        "last": max(line.seq for line in lines),
    }
