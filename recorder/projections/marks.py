"""What else is derived of a session: its measured values, and of which versions all of it is."""

from __future__ import annotations

from typing import NamedTuple


class MetricRow(NamedTuple):
    """One measured value, of a turn or (turn None) of the whole session. `definition` is the
    metric's name and version, `parameters` JSON of what it depends on; a metric without evidence
    has no row."""

    session: str
    ordinal: int
    turn: int | None
    metric: str
    value: float
    unit: str
    definition: str
    parameters: str
    first_seq: int
    last_seq: int


class CostRow(NamedTuple):
    """One line of a bill. `usd` is a decimal number, None where the price is not known;
    `charged_by` is `provider` (it told the amount) or `book` (quantity times a listed price)."""

    session: str
    ordinal: int
    turn: int | None
    provider: str
    model: str | None
    component: str
    meter: str
    quantity: str
    unit: str
    usd: str | None
    charged_by: str
    price_book: str | None
    seq: int


class MarkRow(NamedTuple):
    """Of what the read models of a session were made, and by which versions. They are stale when
    the session has other events now, or the code another version."""

    session: str
    events: int
    projections: str
    metrics: str
    price_book: str
