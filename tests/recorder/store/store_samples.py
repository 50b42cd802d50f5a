"""Rows for tests of the store."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

from recorder.store import open_store
from recorder.store.base import (
    AudioRef,
    Batch,
    ChannelRow,
    Chunk,
    EventRow,
    Sealed,
    SegmentRow,
    SessionRow,
    Store,
)

S = "01j00000000000000000000001"
T = "01j00000000000000000000002"


def label(session: str = S, **facts: Any) -> SessionRow:
    return SessionRow(session, "trial", "openai", 1_000, "sha256/1", "run")._replace(**facts)


def event(seq: int, session: str = S, **facts: Any) -> EventRow:
    return EventRow(
        session, seq, seq * 1_000, 1, "client", "ws.text", "a.b", f"body {seq}", None, b"digest"
    )._replace(**facts)


def events(first: int, last: int, session: str = S) -> list[EventRow]:
    return [event(seq, session) for seq in range(first, last + 1)]


def ref(seq: int, ordinal: int = 0, session: str = S, segment: int = 1) -> AudioRef:
    return AudioRef(session, seq, ordinal, 3, "base64", segment, 0, 4)


def segment(number: int = 1, session: str = S) -> SegmentRow:
    return SegmentRow(session, number, 1, "client", "item", "pcmu", 8000, 1, 0)


def chunk(start: int, data: bytes, number: int = 1, session: str = S) -> Chunk:
    return Chunk(session, number, start, data)


def raw(data: bytes, number: int = 1, session: str = S, tail: bytes = b"") -> Sealed:
    """The sealed form of µ-law audio."""
    whole = data + tail
    digest = sha256(whole).digest()
    return Sealed(session, number, len(whole), len(data), digest, "raw", data, tail)


def begin(session: str = S, *, segments: int = 1) -> Batch:
    """A session with one channel and some open segments."""
    return Batch(
        sessions=[label(session)],
        channels=[ChannelRow(session, 1, "ws", "/v1/realtime")],
        segments=[segment(number, session) for number in range(1, segments + 1)],
    )


def everything(store: Store) -> dict[str, Any]:
    """All that a store answers."""
    found: dict[str, Any] = {"sessions": store.sessions(), "runs": store.runs()}
    for row in store.sessions():
        found[row.id] = {
            "session": store.session(row.id),
            "channels": store.channels(row.id),
            "count": store.count(row.id),
            "events": list(store.events(row.id)),
            "later": list(store.events(row.id, after=2)),
            "refs": list(store.refs(row.id)),
            "later refs": list(store.refs(row.id, after=2)),
            "segments": [
                (part, store.sealed(row.id, part.number), store.audio(row.id, part.number))
                for part in store.segments(row.id)
            ],
        }
    return found


def new_store(path: Path) -> Store:
    return open_store(str(path), create=True)
