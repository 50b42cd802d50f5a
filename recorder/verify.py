"""Prove that a tape holds what was recorded: every event in its place, every byte of audio.

The digest chain is computed again from what the store holds. Where it first differs, the links
that the store kept tell what happened: a link belongs to one event after one other at one
number, so that an event is known again wherever it was put.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Literal, NamedTuple

from recorder.audio.sizes import duration_ms
from recorder.chain import UnknownScheme, genesis, link
from recorder.errors import RecorderError, StoreError
from recorder.events import Event
from recorder.recording import AudioReader, DamagedTape, rows_with_refs, whole
from recorder.spans import Span
from recorder.store.base import AudioRef, EventRow, SegmentRow, SessionRow, Store
from recorder.store.segments import wire_bytes

_BEFORE_ALL = -(1 << 62)  # events are numbered from 1; what was added may be numbered below
_UNREADABLE = (RecorderError, TypeError, ValueError)  # a column may hold anything after tampering
_Stored = tuple[EventRow, list[AudioRef]]
FaultKind = Literal["lost", "changed", "added", "reordered", "audio", "session"]


class Fault(NamedTuple):
    """The first thing that is wrong with a tape."""

    kind: FaultKind
    text: str
    event: int | None = None
    segment: int | None = None


class Verdict(NamedTuple):
    """What `verify` found: `events` and `digest` are those of the sound beginning of the tape."""

    row: SessionRow
    events: int
    audio_s: float
    digest: bytes
    fault: Fault | None


class _Place(NamedTuple):
    """Where the chain first breaks: `seq` should follow the link `previous`."""

    seq: int
    previous: bytes


def verify(store: Store, row: SessionRow) -> Verdict:
    """Check one session; `row` with the status that a reader should see (`recording.current`)."""
    try:
        start = _Place(1, genesis(row.scheme, row.id, row.provider, row.wall_ns))
    except UnknownScheme as error:
        return Verdict(row, 0, 0.0, b"", Fault("session", str(error)))
    audio_s, bad = _check_audio(store, row)
    place, fault = _walk(store, row, start, bad)
    if fault is None:
        fault = _end(store, row, place) or next(iter(bad.values()), None)
    return Verdict(row, place.seq - 1, audio_s, place.previous, fault)


def _walk(
    store: Store, row: SessionRow, place: _Place, bad: dict[int, Fault]
) -> tuple[_Place, Fault | None]:
    """Follow the chain to its end or to the first event that does not fit."""
    reader = AudioReader(store, row.id)
    rows = rows_with_refs(store, row.id, _BEFORE_ALL)
    while True:
        try:
            stored, refs = next(rows)
        except StopIteration:
            return place, None
        except _UNREADABLE as error:
            return place, Fault("changed", f"event {place.seq} or one after it: {error}", place.seq)
        spoilt = next((bad[ref.segment] for ref in refs if ref.segment in bad), None)
        if spoilt and stored.seq == place.seq:
            return place, spoilt._replace(event=stored.seq)
        try:
            event = _event(stored, refs, reader)
        except RecorderError as error:
            cause = error.cause if isinstance(error, DamagedTape) else str(error)
            return place, Fault("audio", f"event {stored.seq} is not whole: {cause}", stored.seq)
        digest = link(place.previous, *event[1:])
        if stored.seq != place.seq or digest != stored.digest:
            return place, _Diagnosis(store, row, place).fault()
        place = _Place(place.seq + 1, digest)


def _event(row: EventRow, refs: list[AudioRef], reader: AudioReader) -> Event:
    return whole(row, tuple(Span(ref.at, ref.encoding, reader.read(ref)) for ref in refs))


def _end(store: Store, row: SessionRow, place: _Place) -> Fault | None:
    """What is wrong with the end of a tape whose events fit each other."""
    count = place.seq - 1
    if row.digest is None:
        orphan = next(store.refs(row.id, after=count), None)
        if row.status != "recording" and orphan is not None:
            return Fault("lost", f"event {place.seq} was lost: its audio is here", place.seq)
        return None
    if row.events is not None and count < row.events:
        return _lost(place.seq, row.events)
    if row.events is not None and count > row.events:
        return _added(row.events + 1, row.events)
    if row.digest != place.previous:
        return Fault(
            "session",
            "the session's digest is not that of its events: "
            "one was changed after the recording and the digests after it made anew",
        )
    return None


def _lost(first: int, last: int) -> Fault:
    what = f"event {first} was" if first == last else f"events {first} to {last} were"
    return Fault("lost", f"{what} lost", first)


def _added(seq: int, events: int) -> Fault:
    return Fault("added", f"event {seq} was added: the session ended with {events}", seq)


class _Diagnosis:
    """Tells what happened at the place where a chain breaks, by the links that are stored."""

    def __init__(self, store: Store, row: SessionRow, place: _Place) -> None:
        self._store, self._row, self._place = store, row, place
        self._count = sum(1 for _ in store.events(row.id, _BEFORE_ALL))
        self._reader = AudioReader(store, row.id)

    def fault(self) -> Fault:
        seq, ended = self._place.seq, self._row.digest is not None
        events = self._row.events if ended else None
        rows = self._rows()
        here = next(rows)
        after = next(rows, None)
        if events is not None and seq > events:
            return _added(here[0].seq, events)
        if here[0].seq < seq:
            return Fault("added", f"event {here[0].seq} was added before the first", here[0].seq)
        moved = self._moved(here)
        if moved is not None:
            return self._misplaced(moved, events)
        if here[0].seq > seq:
            return _lost(seq, here[0].seq - 1)
        if events is not None and self._closed_up(here, after, events - self._count):
            return _lost(seq, seq + events - self._count - 1)
        return self._changed(here[0], after)

    def _rows(self) -> Iterator[_Stored]:
        """From the broken place on; a number that is too low comes first."""
        for row, refs in rows_with_refs(self._store, self._row.id, _BEFORE_ALL):
            if row.seq >= self._place.seq or row.seq < 1:
                yield row, refs

    def _moved(self, here: _Stored) -> int | None:
        """The number under which the event that belongs here stands now, if it is anywhere.

        An event that fits where it stands was not moved, even if it says the same.
        """
        before: EventRow | None = None
        for row, refs in self._rows():
            fits = before is not None and self._fits(before, (row, refs), row.seq)
            before = row
            if row.seq != self._place.seq and not fits and self._belongs_here(row, refs, here):
                return row.seq
        return None

    def _belongs_here(self, row: EventRow, refs: list[AudioRef], here: _Stored) -> bool:
        """Whether this is the event of the broken place. Its link, its audio and its time may
        have moved with it or have stayed."""
        own, own_refs = here
        for event in (self._try(row, refs), self._try(row, own_refs)):
            for at_ns in (row.at_ns, own.at_ns):
                if event is None:
                    continue
                moved = event._replace(seq=self._place.seq, at_ns=at_ns)
                if link(self._place.previous, *moved[1:]) in (row.digest, own.digest):
                    return True
        return False

    def _try(self, row: EventRow, refs: list[AudioRef]) -> Event | None:
        """An event put together by way of trial; None where the audio does not fit it."""
        try:
            return _event(row, refs, self._reader)
        except RecorderError:
            return None

    def _misplaced(self, now_at: int, events: int | None) -> Fault:
        """The event is there, under another number: it was moved, or others pushed before it."""
        seq = self._place.seq
        pushed = self._count > events if events is not None else self._follows_on(now_at)
        if pushed:
            what = f"event {seq} was added: the one that was {seq} is {now_at} now"
            return Fault("added", what, seq)
        return Fault("reordered", f"event {seq} was reordered: it stands at {now_at} now", seq)

    def _follows_on(self, now_at: int) -> bool:
        """Whether the event after the one at `now_at` was right after it when recorded."""
        rows = (found for found in self._rows() if found[0].seq >= now_at)
        found, following = next(rows), next(rows, None)
        return following is not None and self._fits(found[0], following, self._place.seq + 1)

    def _fits(self, before: EventRow, row_refs: _Stored, seq: int) -> bool:
        """Whether the stored link of an event is that of number `seq` after `before`."""
        event = self._try(*row_refs)
        if event is None:
            return False
        return link(before.digest, seq, *event[2:]) == row_refs[0].digest

    def _closed_up(
        self,
        here: _Stored,
        after: _Stored | None,
        missing: int,
    ) -> bool:
        """Whether `missing` events were taken out here and those after them numbered anew."""
        if missing <= 0:
            return False
        return after is None or self._fits(here[0], after, after[0].seq + missing)

    def _changed(self, here: EventRow, after: _Stored | None) -> Fault:
        seq = here.seq
        what = f"event {seq} ({here.sender} {here.type or here.kind})"
        if after is None and self._row.digest is None:
            return Fault("changed", f"{what} was changed or added", seq)
        other = f"{seq - 1} together with its digest" if seq > 1 else "the session's own row"
        return Fault("changed", f"{what} was changed (or {other})", seq)


def _check_audio(store: Store, row: SessionRow) -> tuple[float, dict[int, Fault]]:
    """Seconds of sound audio, and every segment that is not what was on the wire."""
    seconds, bad = 0.0, {}
    for segment in store.segments(row.id):
        try:
            size = _wire_size(store, row, segment)
        except RecorderError as error:
            owner = f"{segment.sender} {segment.stream}".strip()
            text = f"audio segment {segment.number} ({owner}) {error}"
            bad[segment.number] = Fault("audio", text, segment=segment.number)
        else:
            seconds += duration_ms(size, segment.codec, segment.rate, segment.channels) / 1000
    return seconds, bad


def _wire_size(store: Store, row: SessionRow, segment: SegmentRow) -> int:
    """Bytes of a segment; RecorderError unless they are those that crossed the wire."""
    sealed = store.sealed(row.id, segment.number)
    if sealed is None:
        if row.digest is not None:
            raise StoreError("was not sealed though the session has ended")
        return len(store.audio(row.id, segment.number))
    try:
        data = wire_bytes(sealed, segment.channels)
    except RecorderError as error:
        raise StoreError(f"cannot be decoded: {error}") from error
    if len(data) != sealed.size:
        raise StoreError(f"decodes to {len(data)} bytes; on the wire it had {sealed.size}")
    if sha256(data).digest() != sealed.sha256:
        raise StoreError("does not decode to the bytes it had on the wire: their SHA-256 differs")
    return len(data)
