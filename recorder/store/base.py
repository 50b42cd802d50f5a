"""The contract of an event store; its numbered guarantees are in docs/store.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

from recorder.events import Kind, Sender
from recorder.spans import Codec, Encoding

Status = Literal["recording", "complete", "interrupted", "incomplete"]
Form = Literal["flac", "raw", "constant"]
ChannelKind = Literal["ws", "http", "webhook", "notes"]


class SessionRow(NamedTuple):
    """One conversation, or the control traffic of one run. All but id, provider, wall_ns, scheme
    and parent may change until it ends.

    `status` as stored: `recording` while its run writes, `complete` when it ended in order,
    `interrupted` when its run died, `incomplete` when events could not be stored. `digest` and
    `events` are those at the end, None before it. `ended_ns` is the offset of the last event.
    """

    id: str
    trial: str
    provider: str
    wall_ns: int
    scheme: str
    run: str
    external_id: str | None = None
    model: str | None = None
    parent: str | None = None
    status: Status = "recording"
    ended_ns: int | None = None
    events: int | None = None
    digest: bytes | None = None
    origin: str = "proxy"  # proxy, hook, import, pull, replay, simulate

    @property
    def is_copy(self) -> bool:
        """Whether it plays a conversation again, so that what comes later is not about it."""
        return self.parent is not None or self.origin in ("replay", "simulate")


class RunRow(NamedTuple):
    """One process that writes. It is alive while its heartbeat is fresh and its pid exists."""

    id: str
    host: str
    pid: int
    started_ns: int
    beat_ns: int  # wall clock
    ended_ns: int | None = None


class ChannelRow(NamedTuple):
    """One WebSocket, HTTP exchange or webhook delivery inside a session."""

    session: str
    channel: int
    kind: ChannelKind
    target: str  # path without secrets


class EventRow(NamedTuple):
    """An event as stored: `body` is valid UTF-8 text with its audio lifted out, `raw` is used
    instead for what is not text. Exactly one of the two is set."""

    session: str
    seq: int
    at_ns: int
    channel: int
    sender: Sender
    kind: Kind
    type: str
    body: str | None
    raw: bytes | None
    digest: bytes


def stored_body(row: EventRow) -> bytes:
    """The body of a row as stored: text or raw bytes, without its audio.

    SQLite keeps either in either column: what a foreign hand put there is read as it stands, so
    that it is the digest that tells of it.
    """
    body = row.raw if row.body is None else row.body
    return body.encode() if isinstance(body, str) else body or b""


class AudioRef(NamedTuple):
    """`length` bytes from `start` of a segment stood at byte `at` of the lifted body."""

    session: str
    seq: int
    ordinal: int
    at: int
    encoding: Encoding
    segment: int
    start: int
    length: int


class SegmentRow(NamedTuple):
    """A run of audio of one sender, channel and stream. `number` counts from 1 in its session."""

    session: str
    number: int
    channel: int
    sender: Sender
    stream: str
    codec: Codec
    rate: int
    channels: int
    at_ns: int  # offset of its first event


class Chunk(NamedTuple):
    """Bytes of an open segment, at `start`."""

    session: str
    segment: int
    start: int
    data: bytes


class Sealed(NamedTuple):
    """The end of a segment: `data` in `form`, then `tail` (bytes that make no whole frame).

    `constant` is one byte that is repeated for the whole of the segment, as in digital silence.
    """

    session: str
    segment: int
    size: int  # bytes on the wire
    frames: int
    sha256: bytes  # of the bytes on the wire
    form: Form
    data: bytes
    tail: bytes


@dataclass
class Batch:
    """What one transaction adds. `sessions` are inserted, or replaced when the id exists."""

    sessions: list[SessionRow] = field(default_factory=list)
    channels: list[ChannelRow] = field(default_factory=list)
    events: list[EventRow] = field(default_factory=list)
    refs: list[AudioRef] = field(default_factory=list)
    segments: list[SegmentRow] = field(default_factory=list)
    chunks: list[Chunk] = field(default_factory=list)
    sealed: list[Sealed] = field(default_factory=list)


Models = Mapping[str, Sequence[tuple[Any, ...]]]
"""Rows of read models by table (`model_rows.ROWS`); what is not there is empty."""


class Store(Protocol):
    """See docs/store.md. Readers may be in other threads and processes than the writer."""

    def commit(self, batch: Batch) -> None:
        """Add all of `batch` or nothing; StoreError says why not."""
        ...

    def put_run(self, run: RunRow) -> None:
        """Insert or replace a run."""
        ...

    def runs(self) -> list[RunRow]: ...

    def sessions(self) -> list[SessionRow]:
        """All sessions, oldest first (by id)."""
        ...

    def session(self, session: str) -> SessionRow | None: ...

    def channels(self, session: str) -> list[ChannelRow]: ...

    def count(self, session: str) -> int:
        """How many events a session has now."""
        ...

    def events(self, session: str, after: int = 0) -> Iterator[EventRow]:
        """Events with `seq > after` in order, streamed, as one consistent snapshot."""
        ...

    def refs(self, session: str, after: int = 0) -> Iterator[AudioRef]:
        """The audio of those events, by (seq, ordinal)."""
        ...

    def segments(self, session: str) -> list[SegmentRow]: ...

    def sealed(self, session: str, segment: int) -> Sealed | None:
        """None while the segment is open."""
        ...

    def audio(self, session: str, segment: int) -> bytes:
        """The bytes of a segment as they were on the wire, open or sealed."""
        ...

    def setting(self, name: str) -> bytes | None:
        """A value that belongs to the store itself, such as the key of its secret markers."""
        ...

    def put_setting(self, name: str, value: bytes) -> None:
        """Set once; a name that exists keeps its value."""
        ...

    def put_models(self, session: str, models: Models) -> None:
        """Replace all read models of a session, in one transaction."""
        ...

    def models(self, table: str, session: str | None = None) -> list[Any]:
        """The rows of a read model, of all sessions or of one, by their keys."""
        ...

    def exists(self) -> bool:
        """Whether what is written can still be found: a file may have been deleted or replaced."""
        ...

    def maintain(self) -> None:
        """Housekeeping of the writer (checkpoints); called between batches and when idle."""
        ...

    def close(self) -> None: ...
