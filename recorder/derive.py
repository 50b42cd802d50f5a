"""Read models of a store: made from its tapes, kept beside them, made anew when they are stale.

A session that has ended is derived once; one that is still recorded is not. Rows depend on nothing
but the tape, the code and the price book, so that they are the same wherever they are made.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any, Final

from recorder import metrics, projections
from recorder.audio.pcm import duration_ms
from recorder.billing import cost_rows, usage_rows
from recorder.characters import storable
from recorder.events import Event
from recorder.measuring import measured
from recorder.pricing import PriceBook, cost_of
from recorder.projections import Seen
from recorder.projections.marks import MarkRow
from recorder.providers import PROVIDERS
from recorder.recording import current
from recorder.store.base import SessionRow, Store, stored_body

Tables = dict[str, list[tuple[Any, ...]]]
_DAY: Final = re.compile(r"prices of (\d{4}-\d{2}-\d{2})\Z")  # as `PriceBook.label` tells it
_OF_MODELS = {
    "turn": "turns",
    "response": "responses",
    "item": "items",
    "tool_call": "tool_calls",
    "transcript": "transcripts",
    "interruption": "interruptions",
    "error": "errors",
    "vendor_latency": "vendor",
    "unknown": "unknown",
}


def seen(store: Store, session: str) -> Iterator[Seen]:
    """The events of a session as a projection reads them: without audio, but with its length."""
    segments = {row.number: row for row in store.segments(session)}
    refs = store.refs(session)
    ref = next(refs, None)
    for row in store.events(session):
        ms = 0.0
        while ref is not None and ref.seq <= row.seq:
            segment = segments[ref.segment]
            ms += duration_ms(ref.length, segment.codec, segment.rate, segment.channels)
            ref = next(refs, None)
        name, seq, at_ns, channel, sender, kind, type_ = row[:7]
        yield Seen(Event(name, seq, at_ns, channel, sender, kind, type_, stored_body(row)), ms)


def derive(store: Store, row: SessionRow, book: PriceBook) -> Tables:
    """All read models of a session, by table."""
    provider = PROVIDERS[row.provider]
    made = projections.project(row.id, seen(store, row.id), provider)
    meter = cost_of((each.event for each in seen(store, row.id)), provider, book)
    costs = cost_rows(row.id, meter, made.turns)
    tables: Tables = {name: list(getattr(made, field)) for name, field in _OF_MODELS.items()}
    tables["outline"] = [made.outline]
    tables["usage"] = list(usage_rows(row.id, meter, made.turns))
    tables["cost_line"] = list(costs)
    tables["metric"] = list(measured(store, row, made, costs))
    tables["mark"] = [mark(store, row, book)]
    return {name: [_storable(each) for each in rows] for name, rows in tables.items()}


def _storable(row: tuple[Any, ...]) -> tuple[Any, ...]:
    if all(cell == storable(cell) for cell in row if isinstance(cell, str)):
        return row
    cells = (storable(cell) if isinstance(cell, str) else cell for cell in row)
    return type(row)(*cells)


def mark(store: Store, row: SessionRow, book: PriceBook) -> MarkRow:
    """Of what its read models would be made now."""
    events = store.count(row.id) if row.events is None else row.events
    return MarkRow(row.id, events, projections.VERSION, metrics.VERSION, book.label)


def derivable(store: Store, wall_ns: int | None = None) -> list[SessionRow]:
    """The sessions that have ended, of a provider that is known; given what time it is, also those
    whose recording died."""
    rows = store.sessions() if wall_ns is None else current(store, store.sessions(), wall_ns)
    over = (row for row in rows if row.digest is not None or row.status == "interrupted")
    return [row for row in over if row.provider in PROVIDERS]


def stale(
    store: Store, book: PriceBook, wall_ns: int | None = None
) -> list[tuple[SessionRow, PriceBook]]:
    """Those of `derivable` whose read models are missing or of another make, and the prices to
    make them with: a session that was priced as of another day keeps that day."""
    have = {made.session: made for made in store.models("mark")}
    found = []
    for row in derivable(store, wall_ns):
        kept = have.get(row.id)
        prices = book if kept is None else _as_of(kept, book)
        if kept != mark(store, row, prices):
            found.append((row, prices))
    return found


def _as_of(kept: MarkRow, book: PriceBook) -> PriceBook:
    day = _DAY.search(kept.price_book)
    return book.at(date.fromisoformat(day[1])) if day else book


def refresh(
    store: Store, rows: Iterable[SessionRow] | None = None, book: PriceBook | None = None
) -> int:
    """Make the read models of `rows`, or of all that are stale, and keep them; how many."""
    book = book or PriceBook.shipped()
    due = stale(store, book) if rows is None else [(row, book) for row in rows]
    for row, prices in due:
        store.put_models(row.id, derive(store, row, prices))
    return len(due)


def differences(store: Store, row: SessionRow, book: PriceBook) -> dict[str, tuple[int, int]]:
    """Tables whose rows would change: how many rows are there that would not be made, and how many
    would be made that are not there."""
    found = {}
    for table, rows in derive(store, row, book).items():
        have, want = Counter(map(tuple, store.models(table, row.id))), Counter(map(tuple, rows))
        if have != want:
            found[table] = ((have - want).total(), (want - have).total())
    return found
