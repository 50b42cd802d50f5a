"""Read models of a store: made from its tapes, kept beside them, made anew when they are stale.

A session that has ended is derived once; one that is still recorded is not. Rows depend on nothing
but the tape, the code and the price book, so that they are the same wherever they are made.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Any, Final

from recorder import metrics, projections
from recorder.audio.sizes import duration_ms
from recorder.billing import cost_rows, usage_rows
from recorder.characters import storable
from recorder.events import Event
from recorder.hearing import Ear
from recorder.measuring import Gatherer
from recorder.pricing import PriceBook, TapeMeter
from recorder.projections import Seen
from recorder.projections.marks import MarkRow
from recorder.providers import PROVIDERS
from recorder.providers.base import Provider
from recorder.providers.neutral import HearingDecoder
from recorder.recording import AudioReader, Moment, Recording, current
from recorder.store.base import EventRow, SegmentRow, SessionRow, Store, stored_body

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
    """The events of a session as a projection reads them: without audio, but with its length, and
    with its level where the provider's decoder hears. DamagedTape where a segment is lost."""
    row = store.session(session)
    if row is not None and _hears(PROVIDERS[row.provider]):
        yield from _heard(Recording(store, session).moments())
        return
    audio = AudioReader(store, session)
    refs = store.refs(session)
    ref = next(refs, None)
    for each in store.events(session):
        ms = 0.0
        while ref is not None and ref.seq <= each.seq:
            ms += _ms(audio.segment(ref.segment), ref.length)
            ref = next(refs, None)
        yield Seen(_event(each), ms)


def derive(store: Store, row: SessionRow, book: PriceBook) -> Tables:
    """All read models of a session, by table; its tape is read once."""
    provider = PROVIDERS[row.provider]
    gatherer, bill = Gatherer(row), TapeMeter(provider, book)
    heard = _heard(_read(store, row.id, gatherer), _hears(provider), bill.take)
    made = projections.project(row.id, heard, provider)
    meter = bill.meter
    costs = cost_rows(row.id, meter, made.turns)
    tables: Tables = {name: list(getattr(made, field)) for name, field in _OF_MODELS.items()}
    tables["outline"] = [made.outline]
    tables["usage"] = list(usage_rows(row.id, meter, made.turns))
    tables["cost_line"] = list(costs)
    tables["metric"] = list(metrics.measure(gatherer.evidence(made, costs)))
    tables["mark"] = [mark(store, row, book)]
    return {name: [_storable(each) for each in rows] for name, rows in tables.items()}


def _read(store: Store, session: str, gatherer: Gatherer) -> Iterator[Moment]:
    """The events of a session, each told to those who measure first."""
    for moment in Recording(store, session).moments():
        gatherer.take(moment)
        yield moment


def _heard(
    moments: Iterable[Moment],
    hears: bool = True,
    tell: Callable[[Event], None] = lambda event: None,
) -> Iterator[Seen]:
    """Events as a projection reads them, with their levels if it `hears`; each is told first."""
    ear = Ear()
    for moment in moments:
        event = _event(moment.row)
        tell(event)
        ms = sum(_ms(each.segment, len(each.data)) for each in moment.sounds)
        yield Seen(event, ms, ear.levels(moment) if hears else ())


def _hears(provider: Provider) -> bool:
    return isinstance(provider.decoder(), HearingDecoder)


def _ms(segment: SegmentRow, size: int) -> float:
    return duration_ms(size, segment.codec, segment.rate, segment.channels)


def _event(row: EventRow) -> Event:
    """An event without its audio."""
    name, seq, at_ns, channel, sender, kind, type_ = row[:7]
    return Event(name, seq, at_ns, channel, sender, kind, type_, stored_body(row))


def _storable(row: tuple[Any, ...]) -> tuple[Any, ...]:
    if all(cell == storable(cell) for cell in row if isinstance(cell, str)):
        return row
    cells = (storable(cell) if isinstance(cell, str) else cell for cell in row)
    return type(row)(*cells)


def mark(store: Store, row: SessionRow, book: PriceBook) -> MarkRow:
    """Of what its read models would be made now."""
    events = store.count(row.id) if row.events is None else row.events
    version = projections.version(PROVIDERS[row.provider])
    return MarkRow(row.id, events, version, metrics.VERSION, book.label)


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
    make them with: those of the session's day, or of the day that it was last priced as of."""
    have = {made.session: made for made in store.models("mark")}
    found = []
    for row in derivable(store, wall_ns):
        kept = have.get(row.id)
        day = _DAY.search(kept.price_book) if kept else None
        prices = book.at(date.fromisoformat(day[1])) if day else book.then(row.wall_ns)
        if kept != mark(store, row, prices):
            found.append((row, prices))
    return found


def refresh(
    store: Store, rows: Iterable[SessionRow] | None = None, book: PriceBook | None = None
) -> int:
    """Make the read models of `rows`, or of all that are stale, and keep them; how many. Without a
    book they have the prices of their days."""
    shipped = PriceBook.shipped()
    if rows is None:
        due = stale(store, book or shipped)
    else:
        due = [(row, book or shipped.then(row.wall_ns)) for row in rows]
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
