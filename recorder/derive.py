"""Read models of a store: made from its tapes, kept beside them, made anew when they are stale.

A session that has ended is derived once; one that is still recorded is not. Rows depend on nothing
but the tape, the code and the price book, so that they are the same wherever they are made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from recorder import metrics, projections
from recorder.audio.pcm import duration_ms
from recorder.billing import cost_rows, usage_rows
from recorder.events import Event
from recorder.measuring import measured
from recorder.pricing import PriceBook, cost_of
from recorder.projections import Seen
from recorder.projections.marks import MarkRow
from recorder.providers import PROVIDERS
from recorder.recording import stored_body
from recorder.store.base import SessionRow, Store

Tables = dict[str, list[tuple[Any, ...]]]
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
    return tables


def mark(store: Store, row: SessionRow, book: PriceBook) -> MarkRow:
    """Of what its read models would be made now."""
    events = store.count(row.id) if row.events is None else row.events
    return MarkRow(row.id, events, projections.VERSION, metrics.VERSION, book.label)


def stale(store: Store, book: PriceBook) -> list[SessionRow]:
    """The sessions that have ended and whose read models are missing or of another make."""
    have = {made.session: made for made in store.models("mark")}
    ended = [row for row in store.sessions() if row.digest is not None]
    return [row for row in ended if have.get(row.id) != mark(store, row, book)]


def refresh(
    store: Store, rows: Iterable[SessionRow] | None = None, book: PriceBook | None = None
) -> int:
    """Make the read models of `rows`, or of all that are stale, and keep them; how many."""
    book = book or PriceBook.shipped()
    count = 0
    for row in stale(store, book) if rows is None else rows:
        store.put_models(row.id, derive(store, row, book))
        count += 1
    return count


def differences(store: Store, row: SessionRow, book: PriceBook) -> dict[str, tuple[int, int]]:
    """Tables whose rows would change: how many rows are there that would not be made, and how many
    would be made that are not there."""
    made = derive(store, row, book)
    found = {}
    for table, rows in made.items():
        have, want = store.models(table, row.id), [tuple(each) for each in rows]
        gone = [each for each in have if tuple(each) not in want]
        new = [each for each in want if each not in [tuple(one) for one in have]]
        if gone or new:
            found[table] = (len(gone), len(new))
    return found
