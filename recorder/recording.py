"""A tape as its readers see it: events byte for byte as they crossed the wire, in order.

    with closing(open_store(url, readonly=True)) as store:
        tape = Recording(store, find_session(store, "last").id)
        for event in tape.events():
            ...

Everything is streamed; what is held is one event and a few audio segments.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from recorder.capture.runs import runs_by_id, status_now
from recorder.counting import counted
from recorder.errors import RecorderError, StoreError
from recorder.events import Event
from recorder.spans import Span, restore
from recorder.store.base import (
    AudioRef,
    ChannelRow,
    EventRow,
    Sealed,
    SegmentRow,
    SessionRow,
    Store,
    stored_body,
)

CACHE_BYTES = 16 << 20  # audio kept while reading; a segment is about 1 MiB at most
_CANDIDATES = 5
_LAST = re.compile(r"last(?:~(\d{1,9}))?\Z")


class UnknownSession(RecorderError):
    """No session, or more than one, goes by a name."""


class DamagedTape(StoreError):
    """An event cannot be put together again from what the store holds; `cause` says why."""

    def __init__(self, session: str, cause: str) -> None:
        super().__init__(f"{cause}: `record verify {session}` tells what is left")
        self.cause = cause


class Sound(NamedTuple):
    """Audio of one event: `data` (wire bytes) of a segment, from its byte `start`."""

    segment: SegmentRow
    start: int
    data: bytes


class Moment(NamedTuple):
    """One event as stored: its row, and its audio still apart from the body."""

    row: EventRow
    spans: tuple[Span, ...]
    sounds: tuple[Sound, ...]

    @property
    def lifted(self) -> bytes:
        """The body without its audio; JSON stays JSON."""
        return stored_body(self.row)

    def event(self) -> Event:
        """The event with its body as it crossed the wire."""
        return whole(self.row, self.spans)


class AudioReader:
    """Reads slices of a session's segments, each segment once while it is in use."""

    def __init__(self, store: Store, session: str, limit: int = CACHE_BYTES) -> None:
        self._store, self._session, self._limit = store, session, limit
        self._held: dict[int, bytes] = {}  # least recently used first
        self._rows: dict[int, SegmentRow] = {}

    def segment(self, number: int) -> SegmentRow:
        """The row of a segment; DamagedTape if there is none."""
        if number not in self._rows:
            self._rows = {row.number: row for row in self._store.segments(self._session)}
        try:
            return self._rows[number]
        except KeyError:
            raise DamagedTape(self._session, f"audio segment {number} is lost") from None

    def read(self, ref: AudioRef) -> bytes:
        """The bytes that `ref` names; DamagedTape if the segment does not hold them."""
        end = ref.start + ref.length
        data = self._held.pop(ref.segment, b"")
        if len(data) < end:  # not held, or it grew since it was read
            self.segment(ref.segment)
            data = self._store.audio(self._session, ref.segment)
            self._shrink(len(data))
        if ref.start < 0 or ref.length < 0 or len(data) < end:
            raise DamagedTape(
                self._session,
                f"event {ref.seq} needs bytes {ref.start} to {end} of audio segment "
                f"{ref.segment}, which has {len(data)}",
            )
        self._held[ref.segment] = data  # as the one that was used last
        return data[ref.start : end]

    def _shrink(self, coming: int) -> None:
        """Make room for so many bytes more."""
        total = sum(map(len, self._held.values())) + coming
        while total > self._limit and self._held:
            oldest = next(iter(self._held))
            total -= len(self._held.pop(oldest))


def whole(row: EventRow, spans: tuple[Span, ...]) -> Event:
    """The event of a row, its audio put back."""
    return Event(
        row.session,
        row.seq,
        row.at_ns,
        row.channel,
        row.sender,
        row.kind,
        row.type,
        restore(stored_body(row), spans),
    )


def rows_with_refs(
    store: Store, session: str, after: int = 0
) -> Iterator[tuple[EventRow, list[AudioRef]]]:
    """Each event row with the references to its audio.

    The references are read after the events, which a live writer only adds to, so that none of
    an event that is seen is missed.
    """
    rows = store.events(session, after)
    first = next(rows, None)
    if first is None:
        return
    refs = store.refs(session, after)
    waiting = next(refs, None)
    for row in chain((first,), rows):
        own: list[AudioRef] = []
        while waiting is not None and waiting.seq <= row.seq:
            if waiting.seq == row.seq:
                own.append(waiting)
            waiting = next(refs, None)
        yield row, own


class Recording:
    """The tape of one session. UnknownSession if the store has none of that id."""

    def __init__(self, store: Store, session: str) -> None:
        row = store.session(session)
        if row is None:
            raise _unknown(session)
        self.row: SessionRow = row
        self._store = store

    @property
    def id(self) -> str:
        return self.row.id

    def channels(self) -> list[ChannelRow]:
        """Its channels by number."""
        return self._store.channels(self.id)

    def segments(self) -> list[SegmentRow]:
        """Its audio segments by number."""
        return self._store.segments(self.id)

    def sealed(self, segment: int) -> Sealed | None:
        """A segment as sealed; None while it is open."""
        return self._store.sealed(self.id, segment)

    def audio(self, segment: int) -> bytes:
        """The wire bytes of a segment, open or sealed."""
        return self._store.audio(self.id, segment)

    def audio_sizes(self) -> dict[int, int]:
        """Bytes of audio by segment, as far as events carry them."""
        sizes: dict[int, int] = {}
        for ref in self._store.refs(self.id):
            sizes[ref.segment] = sizes.get(ref.segment, 0) + ref.length
        return sizes

    def count(self) -> int:
        """How many events it has now."""
        return self._store.count(self.id)

    def moments(self, after: int = 0) -> Iterator[Moment]:
        """Events with `seq > after`, audio apart; DamagedTape at one that cannot be made whole."""
        reader = AudioReader(self._store, self.id)
        for row, refs in rows_with_refs(self._store, self.id, after):
            spans = tuple(Span(ref.at, ref.encoding, reader.read(ref)) for ref in refs)
            sounds = tuple(
                Sound(reader.segment(ref.segment), ref.start, span.data)
                for ref, span in zip(refs, spans, strict=True)
            )
            yield Moment(row, spans, sounds)

    def events(self, after: int = 0) -> Iterator[Event]:
        """Events with `seq > after`, bodies as they crossed the wire."""
        return (moment.event() for moment in self.moments(after))


def find_session(store: Store, name: str, *, replays: bool = True) -> SessionRow:
    """The session of an id, of a unique prefix of one, or of `last`, `last~1`, … (the one before).

    Without `replays`, `last` counts only what was not itself recorded from a replay.
    UnknownSession tells what to do when there is none, or which sessions a prefix fits.
    """
    exact = store.session(name)
    if exact is not None:
        return exact
    rows = store.sessions()
    if not rows:
        raise UnknownSession(
            "the store has no sessions yet: record one with `record proxy --trial NAME`"
        )
    counted = _LAST.match(name.lower())
    if counted:
        wanted = [row for row in rows if replays or row.origin != "replay"]
        return _from_end(wanted, int(counted[1] or 0), "" if replays else ", replays aside")
    fitting = [row for row in rows if name and row.id.lower().startswith(name.lower())]
    if not fitting:
        raise _unknown(name)
    if len(fitting) > 1:
        some = ", ".join(row.id for row in fitting[:_CANDIDATES])
        more = ", …" if len(fitting) > _CANDIDATES else ""
        raise UnknownSession(
            f"{name!r} fits {len(fitting)} sessions ({some}{more}): give more characters"
        )
    return fitting[0]


def _from_end(rows: list[SessionRow], back: int, kind: str) -> SessionRow:
    if back >= len(rows):
        have = counted(len(rows), "session")
        raise UnknownSession(
            f"there is no last~{back}: the store has {have}{kind}; `record sessions` lists them"
        )
    return rows[-1 - back]


def _unknown(name: str) -> UnknownSession:
    return UnknownSession(f"no session {name!r}: `record sessions` lists those of the store")


def current(store: Store, rows: list[SessionRow], wall_ns: int) -> list[SessionRow]:
    """Session rows as they stand at `wall_ns` (now): the status a reader should see, with the
    events so far and the offset of the last one where the session has not ended."""
    runs = runs_by_id(store)
    return [_current(store, row._replace(status=status_now(row, runs, wall_ns))) for row in rows]


def _current(store: Store, row: SessionRow) -> SessionRow:
    if row.events is not None:
        return row
    count = store.count(row.id)
    last = next(iter(store.events(row.id, after=count - 1)), None) if count else None
    return row._replace(events=count, ended_ns=last.at_ns if last else row.ended_ns)
