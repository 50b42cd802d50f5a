"""From events to rows: one `Encoder` per session, pure.

An event is searched for audio, freed of secrets, chained, and split into a row, references and
pieces of audio segments. `Draft` gathers what one transaction will add; sealing is left to the
caller, because it is the one expensive step.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count, repeat
from typing import NamedTuple

from recorder.audio.sizes import frame_bytes
from recorder.capture.tap import Happened
from recorder.chain import genesis, link, links
from recorder.characters import storable
from recorder.errors import RecorderError
from recorder.events import Event, Kind, Sender
from recorder.providers.base import Insight, Tracker
from recorder.redact import Redactor
from recorder.spans import AudioField, Span, lift
from recorder.store.base import (
    AudioRef,
    Batch,
    ChannelRow,
    Chunk,
    EventRow,
    SegmentRow,
    SessionRow,
    Status,
)

log = logging.getLogger("recorder.writer")
_ANY = 0  # the tape of an event that is not queued
_MOST_NAMES = 512  # that are remembered
_LONGEST_RUN = 64  # events that are looked at together
_row = partial(tuple.__new__, EventRow)  # in half the time of `EventRow(…)`
SEGMENT_BYTES = 1 << 20  # a longer run of audio is continued in a new segment


class SecretLeft(RecorderError):
    """A secret is still in what was about to be stored, so it is not stored."""


class SealJob(NamedTuple):
    """A segment that ended, with all its bytes; `sealing.seal` makes the row of it."""

    row: SegmentRow
    data: bytes


@dataclass
class Draft:
    """What one transaction will add, its segments still to be sealed."""

    batch: Batch = field(default_factory=Batch)
    jobs: list[SealJob] = field(default_factory=list)


@dataclass
class _Segment:
    row: SegmentRow
    pieces: list[bytes]
    size: int = 0
    stored: int = 0  # bytes that the store has as chunks
    waiting: int = 0  # index of the first piece that it has not


class Encoder:
    """Turns one session's events into rows. Not thread-safe; events come in order of `seq`."""

    def __init__(
        self,
        row: SessionRow,
        tracker: Tracker,
        redactor: Redactor,
        *,
        seq: int = 0,
        digest: bytes | None = None,
        segments: int = 0,
    ) -> None:
        self.row = _clean(row, redactor)
        self.seq = seq
        self.at_ns = row.ended_ns or 0
        first = genesis(row.scheme, row.id, row.provider, row.wall_ns)  # UnknownScheme
        self.digest = digest or first
        self._tracker = tracker
        self._redactor = redactor
        self._names: dict[str, str] = {}
        self._segments = segments
        self._open: dict[tuple[int, Sender, str], _Segment] = {}

    def begin(self, draft: Draft) -> None:
        """Add the session itself."""
        draft.batch.sessions.append(self.row)

    def channel(self, row: ChannelRow, draft: Draft) -> None:
        """Add a channel; its target is freed of secrets by the caller."""
        draft.batch.channels.append(row)

    def add(
        self,
        at_ns: int,
        channel: int,
        sender: Sender,
        kind: Kind,
        type_: str,
        body: bytes,
        draft: Draft,
    ) -> None:
        """Add one event, numbering it. Raises SecretLeft before anything of it is in `draft`."""
        self.take(((_ANY, at_ns, channel, sender, kind, type_, body),), draft)

    def take(self, events: Iterable[Happened], draft: Draft) -> None:
        """Add `events`: what `add` does for each, in less time. SecretLeft leaves out the event
        that has it and those after it; `seq` is that of the one before."""
        run: list[Happened] = []
        seen: Insight | None = None
        at: tuple[int, Sender, Kind] | None = None
        inspect = self._inspect
        for event in events:
            _, _, channel, sender, kind, type_, body = event
            place = (channel, sender, kind)
            insight = inspect(channel, sender, kind, type_, body)
            if insight is not seen or place != at or len(run) == _LONGEST_RUN:
                if seen is not None:
                    self._add_run(seen, run, draft)
                run, seen, at = [], insight, place
            run.append(event)
        if seen is not None:
            self._add_run(seen, run, draft)

    def _add_run(self, insight: Insight, run: Sequence[Happened], draft: Draft) -> None:
        """Add events of one channel, sender and kind that show the same.

        Those that pass together are stored as they are. The one after them is looked at by itself:
        it may be the first of a stream, which is then known. Where none passes after it either,
        all are looked at.
        """
        _, _, channel, sender, kind, _, _ = run[0]
        name = self._name(insight.type)
        passing = 1
        while len(run) > 1 and kind == "ws.text":
            bodies = [event[6] for event in run]
            passing, before = self._redactor.passing(channel, sender, name, bodies), passing
            if not passing and not before:
                break
            if passing:
                self._append_all(run[:passing], name, draft)
            if passing < len(run):
                self._add(insight, run[passing], draft)
            run = run[passing + 1 :]
        for event in run:
            self._add(insight, event, draft)

    def _add(self, insight: Insight, event: Happened, draft: Draft) -> None:
        """Add one event that shows `insight`."""
        _, at_ns, channel, sender, kind, type_, body = event
        found, fields, ended, facts = insight
        name = self._name(found)
        lifted, audio = lift(body, fields) if fields else (body, ())
        clean = self._redactor.redact(channel, sender, kind, name, lifted)
        if clean is not lifted:
            whole = Event(self.row.id, self.seq + 1, at_ns, channel, sender, kind, name, body)
            body, lifted, audio = self._redacted(whole, type_, clean, bool(audio))
        row = self._append(at_ns, channel, sender, kind, name, body, lifted, draft)
        if audio:
            self._keep(row, audio, draft)
        for stream in ended:
            self._end((channel, sender, stream), draft)
        if facts:
            self.learn(facts, draft)

    def _append(
        self,
        at_ns: int,
        channel: int,
        sender: Sender,
        kind: Kind,
        name: str,
        body: bytes,
        lifted: bytes,
        draft: Draft,
    ) -> EventRow:
        """Number and chain an event without secrets; `lifted` is its body without audio."""
        self.seq = seq = self.seq + 1
        self.at_ns = at_ns
        self.digest = digest = link(self.digest, seq, at_ns, channel, sender, kind, name, body)
        text, raw = _columns(lifted)
        cells = (self.row.id, seq, at_ns, channel, sender, kind, name, text, raw, digest)
        row = _row(cells)
        draft.batch.events.append(row)
        return row

    def _append_all(self, run: Sequence[Happened], name: str, draft: Draft) -> None:
        """Append events of one channel, sender and kind that are stored as they are."""
        _, moments, _, _, _, _, bodies = zip(*run, strict=True)
        _, _, channel, sender, kind, _, _ = run[0]
        first, before = self.seq + 1, self.digest
        digests = links(before, first, moments, channel, sender, kind, name, bodies)
        texts, raws = zip(*map(_columns, bodies), strict=True)
        same = map(repeat, (channel, sender, kind, name))
        rows = zip(repeat(self.row.id), count(first), moments, *same, texts, raws, digests)
        draft.batch.events += map(_row, rows)
        self.seq, self.at_ns, self.digest = self.seq + len(run), moments[-1], digests[-1]

    def learn(self, facts: Mapping[str, str], draft: Draft) -> None:
        """Write facts of the session (external_id, model) that were not known before."""
        unknown = {name: fact for name, fact in facts.items() if getattr(self.row, name) is None}
        if unknown:
            self.row = _clean(self.row._replace(**unknown), self._redactor)  # type: ignore[arg-type]
            draft.batch.sessions.append(self.row)

    def end_channel(self, channel: int, draft: Draft) -> None:
        """End every segment of a channel that has closed."""
        for key in [key for key in self._open if key[0] == channel]:
            self._end(key, draft)

    def flush(self, draft: Draft) -> None:
        """Add, as raw chunks, the bytes of open segments that the store does not have yet."""
        for segment in self._open.values():
            if segment.size > segment.stored:
                data = b"".join(segment.pieces[segment.waiting :])
                number = segment.row.number
                draft.batch.chunks.append(Chunk(self.row.id, number, segment.stored, data))
                segment.stored = segment.size
                segment.waiting = len(segment.pieces)

    def finish(self, status: Status, draft: Draft) -> None:
        """End all segments and write the final facts of the session."""
        for key in list(self._open):
            self._end(key, draft)
        self.row = self.row._replace(
            status=status, ended_ns=self.at_ns, events=self.seq, digest=self.digest
        )
        draft.batch.sessions.append(self.row)

    def _name(self, found: str) -> str:
        """The name of an event as it is stored. The same few come often."""
        name = self._names.get(found)
        if name is None:
            name = storable(self._redactor.name(found))
            if len(self._names) < _MOST_NAMES:
                self._names[found] = name
        return name

    def _inspect(
        self, channel: int, sender: Sender, kind: Kind, type_: str, body: bytes
    ) -> Insight:
        """What the tracker sees; a bug in it costs a fix, not a recording: the body stays whole."""
        try:
            return self._tracker.inspect(channel, sender, kind, type_, body)
        except Exception:
            log.exception("a message was not understood; it is stored whole")
            return Insight(type_)

    def _redacted(
        self, event: Event, given: str, clean: bytes, has_audio: bool
    ) -> tuple[bytes, bytes, Sequence[tuple[AudioField, Span]]]:
        """Body, lifted body and audio of an event in which something was redacted."""
        body, lifted = clean, clean
        audio: Sequence[tuple[AudioField, Span]] = ()
        if has_audio:
            _, _, _, channel, sender, kind, name, whole = event
            body = self._redactor.redact(channel, sender, kind, name, whole)
            again = self._inspect(channel, sender, kind, given, body)
            lifted, audio = lift(body, again.audio)
        place = self._redactor.leftover(lifted)
        if place is not None:
            raise SecretLeft(
                f"a secret is still at {place} of {event.type or event.kind} "
                f"(event {event.seq}); it is not stored"
            )
        return body, lifted, audio

    def _keep(
        self, event: EventRow, audio: Sequence[tuple[AudioField, Span]], draft: Draft
    ) -> None:
        for ordinal, (place, span) in enumerate(audio):
            segment = self._segment(event, place, draft)
            size = len(span.data)
            draft.batch.refs.append(
                AudioRef(
                    event.session,
                    event.seq,
                    ordinal,
                    span.at,
                    span.encoding,
                    segment.row.number,
                    segment.size,
                    size,
                )
            )
            segment.pieces.append(span.data)
            segment.size += size
            if segment.size >= SEGMENT_BYTES and _is_whole(segment):
                self._end((event.channel, event.sender, place.stream), draft)

    def _segment(self, event: EventRow, place: AudioField, draft: Draft) -> _Segment:
        key = (event.channel, event.sender, place.stream)
        segment = self._open.get(key)
        coding = (place.codec, place.rate, place.channels)
        if segment and coding != (segment.row.codec, segment.row.rate, segment.row.channels):
            self._end(key, draft)
            segment = None
        if segment is None:
            self._segments += 1
            row = SegmentRow(
                event.session,
                self._segments,
                event.channel,
                event.sender,
                place.stream,
                *coding,
                event.at_ns,
            )
            draft.batch.segments.append(row)
            segment = self._open[key] = _Segment(row, [])
        return segment

    def _end(self, key: tuple[int, Sender, str], draft: Draft) -> None:
        segment = self._open.pop(key, None)
        if segment:
            draft.jobs.append(SealJob(segment.row, b"".join(segment.pieces)))


def _is_whole(segment: _Segment) -> bool:
    """Whether a segment ends with a whole frame. One that never does is not waited for."""
    whole = segment.size % frame_bytes(segment.row.codec, segment.row.channels) == 0
    return whole or segment.size >= 2 * SEGMENT_BYTES


def _clean(row: SessionRow, redactor: Redactor) -> SessionRow:
    """A session whose facts, which come from the wire, are free of secrets and can be stored."""
    external_id, model = row.external_id, row.model
    return row._replace(
        external_id=external_id and storable(redactor.name(external_id)),
        model=model and storable(redactor.name(model)),
    )


def _columns(body: bytes) -> tuple[str | None, bytes | None]:
    """The body as text where a text column can hold it exactly, else as bytes."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None, body
    return (None, body) if "\0" in text else (text, None)
