"""The statements that write a store, for SQLite and for PostgreSQL.

They are run on the driver's own connection with the rows as they are: through `Connection.begin`
and `exec_driver_sql` a commit of one event to SQLite costs more than twice as much. They are plain
text, because to load SQLAlchemy takes longer than all else that a recording begins with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from recorder.store.base import AudioRef, ChannelRow, RunRow, Sealed, SegmentRow, SessionRow

_EVENT: Final = ("session", "seq", "at_ns", "channel", "form")
_AUDIO: Final = ("segment", "start", "length")
SHAPES: Final = (
    (*_EVENT, "body", "digest"),
    (*_EVENT, *_AUDIO, "digest"),
    (*_EVENT, "body", *_AUDIO, "digest"),
    (*_EVENT, "body", "raw", *_AUDIO, "digest"),
)
"""The columns that rows of events are written with, told apart by how many they are: of text, of
audio with a shared body, of audio with one of its own, of anything else. A column that is left out
costs nothing; absent values that are handed over cost as much as the rest of a row."""
_FORM: Final = ("session", "form", "sender", "kind", "type", "body", "at", "encoding")
Mark = Literal["?", "%s"]
"""What stands for a value: that of SQLite, or of psycopg."""
_SIZES: Final[Mapping[Mark, Sequence[int]]] = {"?": (64, 16, 4, 1), "%s": (1,)}
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


def statements(mark: Mark) -> Statements:
    """Those of the driver whose values are marked so."""
    keep = "ON CONFLICT DO NOTHING"
    return Statements(
        put_run=_upsert("run", RunRow._fields, mark),
        put_session=_upsert("session", SessionRow._fields, mark),
        put_setting=f"{insert('setting', ('name', 'value'), mark)} {keep}",
        add_channel=insert("tape_channel", ChannelRow._fields, mark),
        add_segment=insert("tape_audio", SegmentRow._fields, mark),
        add_form=insert("tape_form", _FORM, mark),
        add_events={
            len(shape): _blocks(insert("tape_event", shape, mark), mark) for shape in SHAPES
        },
        add_ref=insert("tape_event_audio", AudioRef._fields, mark),
        add_chunk=insert("tape_audio_chunk", ("session", "segment", "start", "size", "data"), mark),
        seal=_seal(mark),
        drop_chunks=f"DELETE FROM tape_audio_chunk WHERE session = {mark} AND segment = {mark}",
        state=_STATE.format(mark=mark),
        forms=_FORMS.format(mark=mark),
        end=_END.format(mark=mark),
    )


def insert(table: str, names: Sequence[str], mark: Mark) -> str:
    """An insert of one row."""
    marks = ", ".join([mark] * len(names))
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})"


def _blocks(insert: str, mark: Mark) -> Blocks:
    """Made of an insert for one row."""
    row = insert[insert.index("(", insert.index("VALUES")) :]
    return [(size, insert + f", {row}" * (size - 1)) for size in _SIZES[mark]]


def _upsert(table: str, names: Sequence[str], mark: Mark) -> str:
    """Insert, or set every column but the id; a trigger refuses what may not change."""
    changes = ", ".join(f"{name} = excluded.{name}" for name in names if name != "id")
    return f"{insert(table, names, mark)} ON CONFLICT (id) DO UPDATE SET {changes}"


def _seal(mark: Mark) -> str:
    changes = ", ".join(f"{name} = {mark}" for name in Sealed._fields[2:])
    return f"UPDATE tape_audio SET {changes} WHERE session = {mark} AND number = {mark}"


SQLITE: Final = statements("?")
