"""Prove that a tape holds what was recorded: every event in its place, every byte of audio.

The digest chain is computed again from what the store holds. Where it first differs, the links
that the store kept tell what happened: a link belongs to one event after one other at one
number, so that an event is known again wherever it was put.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Literal, NamedTuple

from recorder.audio.pcm import duration_ms
from recorder.chain import SCHEME, genesis, link
from recorder.errors import RecorderError
from recorder.events import Event
from recorder.recording import AudioReader, rows_with_refs, whole
from recorder.spans import Span
from recorder.store.base import AudioRef, EventRow, SegmentRow, SessionRow, Store

_BEFORE_ALL = -(1 << 62)  # events are numbered from 1; what was added may be numbered below
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
    segments = store.segments(row.id)
    bad = dict(_bad_segments(store, row, segments))
    audio_s = sum(_seconds(store, segment) for segment in segments if segment.number not in bad)
    start = _Place(1, genesis(row.id, row.provider, row.wall_ns))
    if row.scheme != SCHEME:
        text = f"its digest chain is of scheme {row.scheme!r}, which this program does not know"
        return Verdict(row, 0, audio_s, start.previous, Fault("session", text))
    place, fault = _walk(store, row, start, bad)
    if fault is None:
        fault = _end(store, row, place) or next(iter(bad.values()), None)
    return Verdict(row, place.seq - 1, audio_s, place.previous, fault)


def _walk(
    store: Store, row: SessionRow, place: _Place, bad: dict[int, Fault]
) -> tuple[_Place, Fault | None]:
    """Follow the chain to its end or to the first event that does not fit."""
    reader = AudioReader(store, row.id)
    for stored, refs in rows_with_refs(store, row.id, _BEFORE_ALL):
        for ref in refs:
            if ref.segment in bad and stored.seq == place.seq:
                return place, bad[ref.segment]._replace(event=stored.seq)
        try:
            event = _event(stored, refs, reader)
        except RecorderError as error:
            return place, Fault("audio", f"event {stored.seq} is not whole: {error}", stored.seq)
        digest = link(place.previous, event)
        if stored.seq != place.seq or digest != stored.digest:
            return place, _Diagnosis(store, row, place).fault()
        place = _Place(place.seq + 1, digest)
    return place, None


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

    def _rows(self) -> Iterator[tuple[EventRow, list[AudioRef]]]:
        """From the broken place on; a number that is too low comes first."""
        for row, refs in rows_with_refs(self._store, self._row.id, _BEFORE_ALL):
            if row.seq >= self._place.seq or row.seq < 1:
                yield row, refs

    def _moved(self, here: tuple[EventRow, list[AudioRef]]) -> int | None:
        """The number under which the event that belongs here stands now, if it is anywhere."""
        own, own_refs = here
        for row, refs in self._rows():
            for body_refs in (refs, own_refs):
                event = self._try(row, body_refs)
                if event is None:
                    continue
                for at_ns in {row.at_ns, own.at_ns}:
                    moved = event._replace(seq=self._place.seq, at_ns=at_ns)
                    digest = link(self._place.previous, moved)
                    if digest in (row.digest, own.digest) and row.seq != self._place.seq:
                        return row.seq
        return None

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

    def _fits(self, before: EventRow, row_refs: tuple[EventRow, list[AudioRef]], seq: int) -> bool:
        """Whether the stored link of an event is that of number `seq` after `before`."""
        event = self._try(*row_refs)
        if event is None:
            return False
        return link(before.digest, event._replace(seq=seq)) == row_refs[0].digest

    def _closed_up(
        self,
        here: tuple[EventRow, list[AudioRef]],
        after: tuple[EventRow, list[AudioRef]] | None,
        missing: int,
    ) -> bool:
        """Whether `missing` events were taken out here and those after them numbered anew."""
        if missing <= 0:
            return False
        return after is None or self._fits(here[0], after, after[0].seq + missing)

    def _changed(self, here: EventRow, after: tuple[EventRow, list[AudioRef]] | None) -> Fault:
        seq = here.seq
        sure = self._fits(here, after, after[0].seq) if after else self._row.digest == here.digest
        what = f"event {seq} ({here.sender} {here.type or here.kind})"
        if seq == 1 and sure:
            what += ", or the session's provider or start,"
        if not sure and after is None and self._row.digest is None:
            return Fault("changed", f"{what} was changed or added", seq)
        return Fault("changed", f"{what} was changed", seq)


def _bad_segments(
    store: Store, row: SessionRow, segments: list[SegmentRow]
) -> Iterator[tuple[int, Fault]]:
    """Every segment that is not what was on the wire."""
    for segment in segments:
        what = _segment_fault(store, row, segment)
        if what:
            owner = f"{segment.sender} {segment.stream}".strip()
            text = f"audio segment {segment.number} ({owner}) {what}"
            yield segment.number, Fault("audio", text, segment=segment.number)


def _segment_fault(store: Store, row: SessionRow, segment: SegmentRow) -> str | None:
    sealed = store.sealed(row.id, segment.number)
    if sealed is None:
        return None if row.digest is None else "was not sealed though the session has ended"
    try:
        data = store.audio(row.id, segment.number)
    except RecorderError as error:
        return f"cannot be decoded: {error}"
    if len(data) != sealed.size:
        return f"decodes to {len(data)} bytes; on the wire it had {sealed.size}"
    if sha256(data).digest() != sealed.sha256:
        return "does not decode to the bytes it had on the wire: their SHA-256 differs"
    return None


def _seconds(store: Store, segment: SegmentRow) -> float:
    sealed = store.sealed(segment.session, segment.number)
    size = sealed.size if sealed else len(store.audio(segment.session, segment.number))
    return duration_ms(size, segment.codec, segment.rate, segment.channels) / 1000
