"""The bill of a tape as rows: what was used, and what it cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from recorder.pricing import Meter
from recorder.projections.marks import CostRow
from recorder.projections.rows import TurnRow, UsageRow


def usage_rows(session: str, meter: Meter, turns: Sequence[TurnRow]) -> list[UsageRow]:
    """What was used, a row a quantity."""
    quantities = (
        (seq, usage, quantity) for seq, usage in meter.usages for quantity in usage.quantities
    )
    return [
        UsageRow(
            session,
            number,
            _turn(seq, turns),
            usage.key,
            usage.component,
            usage.model,
            quantity.meter,
            f"{quantity.amount:f}",
            quantity.unit,
            seq,
        )
        for number, (seq, usage, quantity) in enumerate(quantities, 1)
    ]


def cost_rows(session: str, meter: Meter, turns: Sequence[TurnRow]) -> list[CostRow]:
    """The bill, a row a line."""
    return [
        CostRow(
            session,
            number,
            _turn(line.seq, turns),
            line.provider,
            line.model,
            line.component,
            line.meter,
            f"{line.quantity:f}",
            line.unit,
            None if line.usd is None else f"{line.usd:f}",
            line.charged_by,
            line.price_book,
            line.seq,
        )
        for number, line in enumerate(meter.lines, 1)
    ]


def paid(rows: Iterable[CostRow]) -> Decimal | None:
    """The sum of a bill; None when a line has no price."""
    lines = list(rows)
    return None if any(row.usd is None for row in lines) else known_of(lines)


def known_of(rows: Iterable[CostRow]) -> Decimal:
    """What is known of a bill: at least this much was spent."""
    return sum((Decimal(row.usd) for row in rows if row.usd is not None), Decimal(0))


def _turn(seq: int, turns: Sequence[TurnRow]) -> int | None:
    """The turn that an event lies in; None for what comes after the last, such as a report."""
    return next((turn.turn for turn in turns if turn.first_seq <= seq <= turn.last_seq), None)
