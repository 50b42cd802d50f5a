"""`Store` in memory: for tests and for replays that keep nothing."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, NoReturn

from recorder.errors import StoreError
from recorder.store.base import (
    AudioRef,
    Batch,
    ChannelRow,
    Chunk,
    EventRow,
    Models,
    RunRow,
    Sealed,
    SegmentRow,
    SessionRow,
)
from recorder.store.segments import wire_bytes

_FIXED: Final = ("provider", "wall_ns", "scheme", "parent")


class _Segment:
    """A segment: its bytes while it is open, its sealed form after that."""

    def __init__(self, row: SegmentRow) -> None:
        self.row = row
        self.data = bytearray()
        self.sealed: Sealed | None = None


class _Tape:
    """All of one session but its label."""

    def __init__(self) -> None:
        self.channels: dict[int, ChannelRow] = {}
        self.events: list[EventRow] = []
        self.refs: list[AudioRef] = []  # by (seq, ordinal)
        self.segments: dict[int, _Segment] = {}


class MemoryStore:
    """A store that ends with its object. Any thread may call any method."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._open = True
        self._runs: dict[str, RunRow] = {}
        self._sessions: dict[str, SessionRow] = {}
        self._tapes: dict[str, _Tape] = {}
        self._settings: dict[str, bytes] = {}
        self._models: dict[str, Models] = {}

    def commit(self, batch: Batch) -> None:
        with self._opened():
            _Check(self._sessions, self._tapes).batch(batch)
            self._apply(batch)

    def put_run(self, run: RunRow) -> None:
        with self._opened():
            self._runs[run.id] = run

    def put_setting(self, name: str, value: bytes) -> None:
        with self._opened():
            self._settings.setdefault(name, value)

    def setting(self, name: str) -> bytes | None:
        with self._opened():
            return self._settings.get(name)

    def runs(self) -> list[RunRow]:
        with self._opened():
            return sorted(self._runs.values())

    def sessions(self) -> list[SessionRow]:
        with self._opened():
            return [self._sessions[key] for key in sorted(self._sessions)]

    def session(self, session: str) -> SessionRow | None:
        with self._opened():
            return self._sessions.get(session)

    def channels(self, session: str) -> list[ChannelRow]:
        with self._opened():
            channels = self._tape(session).channels
            return [channels[key] for key in sorted(channels)]

    def count(self, session: str) -> int:
        with self._opened():
            return len(self._tape(session).events)

    def events(self, session: str, after: int = 0) -> Iterator[EventRow]:
        with self._opened():
            rows = self._tape(session).events
            known = range(max(after, 0), len(rows))  # rows are only ever added behind these
        for index in known:
            yield rows[index]

    def refs(self, session: str, after: int = 0) -> Iterator[AudioRef]:
        with self._opened():
            rows = self._tape(session).refs
            known = range(bisect_right(rows, after, key=lambda ref: ref.seq), len(rows))
        for index in known:
            yield rows[index]

    def segments(self, session: str) -> list[SegmentRow]:
        with self._opened():
            segments = self._tape(session).segments
            return [segments[key].row for key in sorted(segments)]

    def sealed(self, session: str, segment: int) -> Sealed | None:
        with self._opened():
            return self._segment(session, segment).sealed

    def audio(self, session: str, segment: int) -> bytes:
        with self._opened():
            found = self._segment(session, segment)
            if found.sealed is None:
                return bytes(found.data)
        return wire_bytes(found.sealed, found.row.channels)

    def put_models(self, session: str, models: Models) -> None:
        with self._opened():
            if session not in self._sessions:
                raise StoreError(f"session {session} is not there: read models belong to one")
            self._models[session] = models

    def models(self, table: str, session: str | None = None) -> list[Any]:
        with self._opened():
            wanted = sorted(self._models) if session is None else [session]
            return [row for name in wanted for row in self._models.get(name, {}).get(table, ())]

    def exists(self) -> bool:
        return True

    def maintain(self) -> None:
        """There is nothing to do."""

    def close(self) -> None:
        with self._lock:
            self._open = False

    @contextmanager
    def _opened(self) -> Iterator[None]:
        with self._lock:
            if not self._open:
                raise StoreError("memory: the store is closed")
            yield

    def _tape(self, session: str) -> _Tape:
        return self._tapes.get(session) or _Tape()

    def _segment(self, session: str, segment: int) -> _Segment:
        found = self._tape(session).segments.get(segment)
        if found is None:
            raise StoreError(f"session {session} has no audio segment {segment}")
        return found

    def _apply(self, batch: Batch) -> None:
        """Add a batch that was checked; nothing here can fail."""
        for session in batch.sessions:
            self._sessions[session.id] = session
            self._tapes.setdefault(session.id, _Tape())
        for channel in batch.channels:
            self._tapes[channel.session].channels[channel.channel] = channel
        for segment in batch.segments:
            self._tapes[segment.session].segments[segment.number] = _Segment(segment)
        for event in batch.events:
            self._tapes[event.session].events.append(event)
        for ref in sorted(batch.refs):
            self._tapes[ref.session].refs.append(ref)
        for chunk in batch.chunks:
            self._tapes[chunk.session].segments[chunk.segment].data += chunk.data
        for sealed in batch.sealed:
            segment_ = self._tapes[sealed.session].segments[sealed.segment]
            segment_.sealed, segment_.data = sealed, bytearray()


class _Check:
    """Whether a batch may be added, in the order in which `SqlStore` writes it."""

    def __init__(self, sessions: dict[str, SessionRow], tapes: dict[str, _Tape]) -> None:
        self._sessions = sessions
        self._tapes = tapes
        self._channels: set[tuple[str, int]] = set()  # new in this batch, as all below
        self._segments: set[tuple[str, int]] = set()
        self._counts: dict[str, int] = {}
        self._ends: dict[tuple[str, int], int] = {}
        self._taken_up: set[str] = set()

    def batch(self, batch: Batch) -> None:
        """StoreError unless all of `batch` may be added."""
        self._taken_up = {row.id for row in batch.sessions if row.digest is None}
        for channel in batch.channels:
            self._channel(channel)
        for segment in batch.segments:
            self._segment(segment)
        for event in batch.events:
            self._event(event)
        self._refs(batch)
        for chunk in batch.chunks:
            self._chunk(chunk)
        self._seals(batch.sealed)
        self._labels(batch)

    def _tape(self, session: str) -> _Tape:
        return self._tapes.get(session) or _Tape()

    def _has_channel(self, key: tuple[str, int]) -> bool:
        return key in self._channels or key[1] in self._tape(key[0]).channels

    def _has_segment(self, key: tuple[str, int]) -> bool:
        return key in self._segments or key[1] in self._tape(key[0]).segments

    def _channel(self, row: ChannelRow) -> None:
        key = (row.session, row.channel)
        if self._has_channel(key):
            _refuse(f"channel {key} exists")
        self._channels.add(key)

    def _segment(self, row: SegmentRow) -> None:
        key = (row.session, row.number)
        if self._has_segment(key):
            _refuse(f"segment {key} exists")
        if not self._has_channel((row.session, row.channel)):
            _refuse(f"the channel of segment {key} is not there")
        self._segments.add(key)

    def _event(self, row: EventRow) -> None:
        key = (row.session, row.seq)
        count = self._counts.get(row.session)
        if count is None:
            count = len(self._tape(row.session).events)
        if row.seq != count + 1:
            _refuse("the events of a session are numbered from 1 without a gap")
        if not self._has_channel((row.session, row.channel)):
            _refuse(f"the channel of event {key} is not there")
        label = self._sessions.get(row.session)
        if label is not None and label.digest is not None and row.session not in self._taken_up:
            _refuse(f"session {row.session} has ended")
        if (row.body is None) == (row.raw is None):
            _refuse(f"event {key} has not exactly one of body and raw")
        self._counts[row.session] = row.seq

    def _refs(self, batch: Batch) -> None:
        events = {(row.session, row.seq) for row in batch.events}
        seen: set[tuple[str, int, int]] = set()
        for ref in batch.refs:
            if (ref.session, ref.seq) not in events:
                _refuse("the audio of an event is stored with it, not after it")
            if not self._has_segment((ref.session, ref.segment)):
                _refuse(f"segment {(ref.session, ref.segment)} is not there")
            if ref[:3] in seen:
                _refuse(f"audio {ref[:3]} exists")
            seen.add(ref[:3])

    def _chunk(self, chunk: Chunk) -> None:
        key = (chunk.session, chunk.segment)
        if not self._has_segment(key):
            _refuse(f"segment {key} is not there")
        stored = self._tape(chunk.session).segments.get(chunk.segment)
        if stored is not None and stored.sealed is not None:
            _refuse(f"segment {key} is sealed")
        end = self._ends.get(key, 0 if stored is None else len(stored.data))
        if chunk.start != end:
            _refuse("the chunks of a segment follow each other")
        self._ends[key] = end + len(chunk.data)

    def _seals(self, rows: list[Sealed]) -> None:
        seen: set[tuple[str, int]] = set()
        for row in rows:
            key = (row.session, row.segment)
            if not self._has_segment(key):
                _refuse(f"segment {key} is not there")
            stored = self._tape(row.session).segments.get(row.segment)
            if key in seen or (stored is not None and stored.sealed is not None):
                _refuse(f"segment {key} is sealed")
            seen.add(key)

    def _labels(self, batch: Batch) -> None:
        labels: dict[str, SessionRow] = {}
        for row in batch.sessions:
            old = labels.get(row.id) or self._sessions.get(row.id)
            if old is not None and any(getattr(old, n) != getattr(row, n) for n in _FIXED):
                _refuse("id, provider, wall_ns, scheme and parent of a session are fixed")
            if old is not None and old != row and None not in (old.digest, row.digest):
                _refuse(f"session {row.id} has ended")
            labels[row.id] = row
        for session, _ in self._channels:
            if session not in labels and session not in self._sessions:
                _refuse(f"session {session} is not there")


def _refuse(why: str) -> NoReturn:
    raise StoreError(f"memory: refused by a rule of the store ({why}); nothing was stored")
