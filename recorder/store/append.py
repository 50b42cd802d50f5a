"""How a batch is written: the hot path.

The statements are compiled from the tables once and run on the driver's own connection, with the
rows as they are: through `Connection.begin` and `exec_driver_sql` a commit of one event to SQLite
costs more than twice as much.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from sqlalchemy import Dialect, Table, bindparam, delete, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql import ClauseElement

import recorder.store.schema as t
from recorder.errors import StoreError
from recorder.store.base import Batch, Chunk, EventRow, Sealed, SegmentRow

_NEVER: Final = 1 << 63  # above every seq
_END: Final = """
SELECT form IS NOT NULL,
       coalesce((SELECT start + length(data) FROM audio_chunk
                 WHERE audio_chunk.session = audio.session AND segment = number
                 ORDER BY start DESC LIMIT 1), 0)
FROM audio WHERE session = {mark} AND number = {mark}
"""


class Db(Protocol):
    """A connection of a driver, as `sqlite3` has it."""

    def execute(self, sql: str, given: Any, /) -> Any: ...

    def executemany(self, sql: str, rows: Iterable[Any], /) -> Any: ...


@dataclass(frozen=True)
class Statements:
    """The SQL of a driver; each takes its values as a tuple, in order."""

    put_run: str
    put_session: str
    put_setting: str
    add_channel: str
    add_segment: str
    add_event: str
    add_ref: str
    add_chunk: str
    seal: str
    drop_chunks: str
    ended: str
    end: str


def statements(dialect: Dialect) -> Statements:
    """Compiled for a driver with positional parameters."""

    def text(statement: ClauseElement) -> str:
        return str(statement.compile(dialect=dialect))

    def insert(table: Table, columns: Sequence[str] | None = None) -> str:
        names = table.columns.keys() if columns is None else columns
        return text(table.insert().values({name: bindparam(name) for name in names}))

    return Statements(
        put_run=text(_upsert(dialect, t.run)),
        put_session=text(_upsert(dialect, t.session)),
        put_setting=text(_insert(dialect, t.setting).on_conflict_do_nothing()),
        add_channel=insert(t.channel),
        add_segment=insert(t.audio, SegmentRow._fields),
        add_event=insert(t.event, EventRow._fields),
        add_ref=insert(t.event_audio),
        add_chunk=insert(t.audio_chunk),
        seal=text(_seal()),
        drop_chunks=text(_drop_chunks()),
        ended=text(_ended()),
        end=_END.format(mark="?" if dialect.name == "sqlite" else "%s"),
    )


def _insert(dialect: Dialect, table: Table) -> Any:
    """An insert that knows what to do about a conflict."""
    if dialect.name == "sqlite":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # loaded only when a server is used

    return postgresql.insert(table)


def _upsert(dialect: Dialect, table: Table) -> ClauseElement:
    """Insert, or set every column but the id; a trigger refuses what may not change."""
    statement = _insert(dialect, table)
    changes = {c.name: statement.excluded[c.name] for c in table.columns if c.name != "id"}
    done: ClauseElement = statement.on_conflict_do_update(index_elements=["id"], set_=changes)
    return done


def _seal() -> ClauseElement:
    fields: dict[str, Any] = {name: bindparam(name) for name in Sealed._fields[2:]}
    where = (t.audio.c.session == bindparam("s"), t.audio.c.number == bindparam("n"))
    return t.audio.update().values(fields).where(*where)


def _drop_chunks() -> ClauseElement:
    where = (t.audio_chunk.c.session == bindparam("s"), t.audio_chunk.c.segment == bindparam("n"))
    return delete(t.audio_chunk).where(*where)


def _ended() -> ClauseElement:
    is_it = t.session.c.id == bindparam("s")
    return select(t.session.c.id).where(is_it, t.session.c.digest.is_not(None))


SQLITE_DIALECT: Final = sqlite.dialect()
SQLITE: Final = statements(SQLITE_DIALECT)


def append(db: Db, batch: Batch, sql: Statements = SQLITE) -> None:
    """Write a batch. What holds within it is left to the database's keys; what holds between it
    and what is stored is asked once a session or segment, not once a row."""
    _admit_events(db, batch, sql)
    for statement, rows in (
        (sql.put_session, batch.sessions),
        (sql.add_channel, batch.channels),
        (sql.add_segment, batch.segments),
        (sql.add_event, batch.events),
        (sql.add_ref, batch.refs),
    ):
        if rows:
            db.executemany(statement, map(tuple, rows))  # plain tuples bind faster
    if batch.chunks:
        db.executemany(sql.add_chunk, _admitted(db, batch.chunks, sql))
    if batch.sealed:
        _write_sealed(db, batch.sealed, sql)


def _admit_events(db: Db, batch: Batch, sql: Statements) -> None:
    """Refuse events of a session that has ended and is not taken up again, and audio of an event
    that is stored already."""
    first: dict[str, int] = {}
    for event in batch.events:
        first.setdefault(event[0], event[1])
    taken_up = {row.id for row in batch.sessions if row.digest is None}
    for session in first.keys() - taken_up:
        if db.execute(sql.ended, (session,)).fetchone():
            raise _refusal(f"session {session} has ended")
    for ref in batch.refs:
        if ref[1] < first.get(ref[0], _NEVER):
            raise _refusal("the audio of an event is stored with it, not after it")


def _admitted(db: Db, chunks: Sequence[Chunk], sql: Statements) -> list[Chunk]:
    """The chunks that hold something; bytes of a sealed segment, and bytes that do not follow
    those before them, are refused."""
    ends: dict[tuple[str, int], int] = {}
    for chunk in chunks:
        key = chunk[:2]
        if key not in ends:
            found = db.execute(sql.end, key).fetchone()
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


def _write_sealed(db: Db, sealed: Sequence[Sealed], sql: Statements) -> None:
    keys = [row[:2] for row in sealed]
    result = db.executemany(sql.seal, [row[2:] + row[:2] for row in sealed])
    if result.rowcount != len(sealed):
        raise _refusal("a segment that is to be sealed is not there")
    db.executemany(sql.drop_chunks, keys)
