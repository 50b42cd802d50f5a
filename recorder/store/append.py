"""How a batch is written to SQLite: the hot path.

The statements are compiled from the tables once and run on the driver's own connection, with the
rows as they are: through `Connection.begin` and `exec_driver_sql` a commit of one event costs
more than twice as much.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Table, bindparam, delete, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql import ClauseElement

import recorder.store.schema as t
from recorder.errors import StoreError
from recorder.store.base import Batch, Chunk, EventRow, Sealed, SegmentRow

_NEVER: Final = 1 << 63  # above every seq


def _text(statement: ClauseElement) -> str:
    """The SQL of a statement that takes its values as a tuple, in order."""
    return str(statement.compile(dialect=sqlite.dialect()))


def _insert(table: Table, columns: Sequence[str] | None = None) -> str:
    names = table.columns.keys() if columns is None else columns
    return _text(sqlite.insert(table).values({name: bindparam(name) for name in names}))


def _upsert(table: Table) -> str:
    """Insert, or set every column but the id; a trigger refuses what may not change."""
    statement = sqlite.insert(table)
    changes = {c.name: statement.excluded[c.name] for c in table.columns if c.name != "id"}
    return _text(statement.on_conflict_do_update(index_elements=["id"], set_=changes))


def _seal() -> str:
    fields: dict[str, Any] = {name: bindparam(name) for name in Sealed._fields[2:]}
    where = (t.audio.c.session == bindparam("s"), t.audio.c.number == bindparam("n"))
    return _text(t.audio.update().values(fields).where(*where))


def _drop_chunks() -> str:
    where = (t.audio_chunk.c.session == bindparam("s"), t.audio_chunk.c.segment == bindparam("n"))
    return _text(delete(t.audio_chunk).where(*where))


PUT_RUN: Final = _upsert(t.run)
_PUT_SESSION: Final = _upsert(t.session)
_ADD_CHANNEL: Final = _insert(t.channel)
_ADD_SEGMENT: Final = _insert(t.audio, SegmentRow._fields)
_ADD_REF: Final = _insert(t.event_audio)
_ADD_EVENT: Final = _insert(t.event, EventRow._fields)
_ADD_CHUNK: Final = _insert(t.audio_chunk)
_SEAL: Final = _seal()
_ENDED: Final = _text(
    select(t.session.c.id).where(t.session.c.id == bindparam("s"), t.session.c.digest.is_not(None))
)
_END: Final = """
SELECT form IS NOT NULL,
       coalesce((SELECT start + length(data) FROM audio_chunk
                 WHERE audio_chunk.session = audio.session AND segment = number
                 ORDER BY start DESC LIMIT 1), 0)
FROM audio WHERE session = ? AND number = ?
"""
_DROP_CHUNKS: Final = _drop_chunks()
PUT_SETTING: Final = _text(sqlite.insert(t.setting).on_conflict_do_nothing())


def append(db: sqlite3.Connection, batch: Batch) -> None:
    """Write a batch. What holds within it is left to the database's keys; what holds between it
    and what is stored is asked once a session or segment, not once a row."""
    _admit_events(db, batch)
    for statement, rows in (
        (_PUT_SESSION, batch.sessions),
        (_ADD_CHANNEL, batch.channels),
        (_ADD_SEGMENT, batch.segments),
        (_ADD_EVENT, batch.events),
        (_ADD_REF, batch.refs),
    ):
        if rows:
            db.executemany(statement, map(tuple, rows))  # plain tuples bind faster
    if batch.chunks:
        db.executemany(_ADD_CHUNK, _admitted(db, batch.chunks))
    if batch.sealed:
        _write_sealed(db, batch.sealed)


def _admit_events(db: sqlite3.Connection, batch: Batch) -> None:
    """Refuse events of a session that has ended and is not taken up again, and audio of an event
    that is stored already."""
    first: dict[str, int] = {}
    for event in batch.events:
        first.setdefault(event[0], event[1])
    taken_up = {row.id for row in batch.sessions if row.digest is None}
    for session in first.keys() - taken_up:
        if db.execute(_ENDED, (session,)).fetchone():
            raise _refusal(f"session {session} has ended")
    for ref in batch.refs:
        if ref[1] < first.get(ref[0], _NEVER):
            raise _refusal("the audio of an event is stored with it, not after it")


def _admitted(db: sqlite3.Connection, chunks: Sequence[Chunk]) -> list[Chunk]:
    """The chunks that hold something; bytes of a sealed segment, and bytes that do not follow
    those before them, are refused."""
    ends: dict[tuple[str, int], int] = {}
    for chunk in chunks:
        key = chunk[:2]
        if key not in ends:
            found = db.execute(_END, key).fetchone()
            if found is None:
                raise _refusal(f"segment {key} is not there")
            if found[0]:
                raise _refusal(f"segment {key} is sealed")
            ends[key] = found[1]
        if chunk.start != ends[key]:
            raise _refusal("the chunks of a segment follow each other")
        ends[key] += len(chunk.data)
    return [chunk for chunk in chunks if chunk.data]


def _refusal(why: str) -> StoreError:
    return StoreError(f"refused by a rule of the store ({why}); nothing was stored")


def _write_sealed(db: sqlite3.Connection, sealed: Sequence[Sealed]) -> None:
    keys = [row[:2] for row in sealed]
    result = db.executemany(_SEAL, [row[2:] + row[:2] for row in sealed])
    if result.rowcount != len(sealed):
        raise _refusal("a segment that is to be sealed is not there")
    db.executemany(_DROP_CHUNKS, keys)
