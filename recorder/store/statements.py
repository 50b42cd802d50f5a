"""The statements that write a store, compiled from its tables once for each driver.

They are run on the driver's own connection with the rows as they are: through `Connection.begin`
and `exec_driver_sql` a commit of one event to SQLite costs more than twice as much.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from sqlalchemy import Dialect, Table, bindparam, delete
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql import ClauseElement

import recorder.store.schema as t
from recorder.store.base import RunRow, Sealed, SegmentRow, SessionRow

_AUDIO: Final = ("segment", "start", "length")
SHAPES: Final = tuple(
    tuple(column.name for column in t.tape_event.c if column.name not in absent)
    for absent in (("raw", *_AUDIO), ("body", "raw"), ("raw",), ())
)
"""The columns that rows of events are written with, told apart by how many they are: of text, of
audio with a shared body, of audio with one of its own, of anything else. A column that is left out
costs nothing; absent values that are handed over cost as much as the rest of a row."""
_SIZES: Final = {"sqlite": (64, 16, 4, 1)}
Blocks = Sequence[tuple[int, str]]
"""Inserts for several rows at once, the most first, down to one: how many, and the statement. Only
SQLite is the faster for it."""
_STATE: Final = """
SELECT number, digest IS NOT NULL,
       (SELECT coalesce(max(seq), 0) FROM tape_event WHERE tape_event.session = session.number),
       (SELECT coalesce(max(form), 0) FROM tape_form WHERE tape_form.session = session.number)
FROM session WHERE id = {mark}
"""
_FORMS: Final = """
SELECT form, sender, kind, type, body, at, encoding FROM tape_form WHERE session = {mark}
"""
_END: Final = """
SELECT form IS NOT NULL,
       coalesce((SELECT start + size FROM tape_audio_chunk AS chunk
                 WHERE chunk.session = kept.session AND segment = number
                 ORDER BY start DESC LIMIT 1), 0)
FROM tape_audio AS kept WHERE session = {mark} AND number = {mark}
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
    add_form: str
    add_events: Mapping[int, Blocks]  # by the number of columns, see `SHAPES`
    add_ref: str
    add_chunk: str
    seal: str
    drop_chunks: str
    state: str
    forms: str
    end: str


def statements(dialect: Dialect) -> Statements:
    """Compiled for a driver with positional parameters."""

    def text(statement: ClauseElement) -> str:
        return str(statement.compile(dialect=dialect))

    def insert(table: Table, names: Iterable[str] = ()) -> str:
        columns = names or table.c.keys()
        return text(table.insert().values({name: bindparam(name) for name in columns}))

    mark = "?" if dialect.name == "sqlite" else "%s"
    return Statements(
        put_run=text(_upsert(dialect, t.run, RunRow._fields)),
        put_session=text(_upsert(dialect, t.session, SessionRow._fields)),
        put_setting=text(_insert(dialect, t.setting).on_conflict_do_nothing()),
        add_channel=insert(t.tape_channel),
        add_segment=text(_add_segment()),
        add_form=insert(t.tape_form),
        add_events={
            len(shape): _blocks(insert(t.tape_event, shape), _SIZES.get(dialect.name, (1,)))
            for shape in SHAPES
        },
        add_ref=insert(t.tape_event_audio),
        add_chunk=insert(t.tape_audio_chunk),
        seal=text(_seal()),
        drop_chunks=text(_drop_chunks()),
        state=_STATE.format(mark=mark),
        forms=_FORMS.format(mark=mark),
        end=_END.format(mark=mark),
    )


def _blocks(insert: str, sizes: Iterable[int]) -> Blocks:
    """Made of an insert for one row."""
    row = insert[insert.index("(", insert.index("VALUES")) :]
    return [(size, insert + f", {row}" * (size - 1)) for size in sizes]


def _insert(dialect: Dialect, table: Table) -> Any:
    """An insert that knows what to do about a conflict."""
    if dialect.name == "sqlite":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # loaded only when a server is used

    return postgresql.insert(table)


def _upsert(dialect: Dialect, table: Table, names: Sequence[str]) -> ClauseElement:
    """Insert, or set every column but the id; a trigger refuses what may not change."""
    statement = _insert(dialect, table).values({name: bindparam(name) for name in names})
    changes = {name: statement.excluded[name] for name in names if name != "id"}
    done: ClauseElement = statement.on_conflict_do_update(index_elements=["id"], set_=changes)
    return done


def _add_segment() -> ClauseElement:
    return t.tape_audio.insert().values({name: bindparam(name) for name in SegmentRow._fields})


def _seal() -> ClauseElement:
    fields: dict[str, Any] = {name: bindparam(name) for name in Sealed._fields[2:]}
    kept = t.tape_audio.c
    where = (kept.session == bindparam("s"), kept.number == bindparam("n"))
    return t.tape_audio.update().values(fields).where(*where)


def _drop_chunks() -> ClauseElement:
    kept = t.tape_audio_chunk.c
    return delete(t.tape_audio_chunk).where(
        kept.session == bindparam("s"), kept.segment == bindparam("n")
    )


SQLITE_DIALECT: Final = sqlite.dialect()
SQLITE: Final = statements(SQLITE_DIALECT)
