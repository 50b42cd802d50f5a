"""Reading a store in SQL: the same for SQLite and PostgreSQL."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Final, Protocol, TypeVar

from recorder.errors import StoreError
from recorder.store.base import (
    AudioRef,
    ChannelRow,
    EventRow,
    RunRow,
    Sealed,
    SegmentRow,
    SessionRow,
)
from recorder.store.segments import repeated, wire_bytes

_R = TypeVar("_R")
_LABEL: Final = ", ".join(SessionRow._fields)
_SEALED: Final = ", ".join(Sealed._fields).replace("segment", "number")
_COUNT: Final = """
SELECT coalesce(max(seq), 0) FROM tape_event
WHERE session = (SELECT number FROM session WHERE id = ?)
"""


class Reading(Protocol):
    """A connection that reads, in a transaction. What stands for a value is a question mark."""

    def execute(self, sql: str, given: tuple[Any, ...], /) -> Any:
        """The rows of an answer, as `sqlite3.Cursor` gives them."""


class SqlReader(ABC):
    """The readers of a `Store`; any thread may call any of them."""

    @abstractmethod
    def _reading(self, *, streamed: bool = False) -> AbstractContextManager[Reading]:
        """A connection; its errors come out as `StoreError` of one line. `streamed` answers are
        not held as a whole."""

    def _maker(self, row_type: Callable[..., _R]) -> Callable[..., _R]:
        """What makes a row, as it was put in, of its columns."""
        return row_type

    def setting(self, name: str) -> bytes | None:
        with self._reading() as db:
            found = db.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
            return None if found is None else found[0]

    def runs(self) -> list[RunRow]:
        return list(self._rows(RunRow, f"SELECT {_names(RunRow)} FROM run ORDER BY id"))

    def sessions(self) -> list[SessionRow]:
        return list(self._rows(SessionRow, f"SELECT {_LABEL} FROM session ORDER BY id"))

    def session(self, session: str) -> SessionRow | None:
        rows = self._rows(SessionRow, f"SELECT {_LABEL} FROM session WHERE id = ?", session)
        return next(iter(list(rows)), None)

    def channels(self, session: str) -> list[ChannelRow]:
        return list(self._rows(ChannelRow, _of(ChannelRow, "channel", "channel"), session))

    def count(self, session: str) -> int:
        with self._reading() as db:
            return int(db.execute(_COUNT, (session,)).fetchone()[0])

    def events(self, session: str, after: int = 0) -> Iterator[EventRow]:
        return self._rows(EventRow, _of(EventRow, "event", "seq", after="seq"), session, after)

    def refs(self, session: str, after: int = 0) -> Iterator[AudioRef]:
        query = _of(AudioRef, "event_audio", "seq, ordinal", after="seq")
        return self._rows(AudioRef, query, session, after)

    def segments(self, session: str) -> list[SegmentRow]:
        return list(self._rows(SegmentRow, _of(SegmentRow, "audio", "number"), session))

    def sealed(self, session: str, segment: int) -> Sealed | None:
        with self._reading() as db:
            return self._sealed(db, session, segment)[0]

    def audio(self, session: str, segment: int) -> bytes:
        with self._reading() as db:
            sealed, channels = self._sealed(db, session, segment)
            if sealed is None:
                chunks = db.execute(
                    "SELECT data, size FROM audio_chunk WHERE session = ? AND segment = ?"
                    " ORDER BY start",
                    (session, segment),
                )
                return b"".join(repeated(data, size) for data, size in chunks)
        return wire_bytes(sealed, channels)

    def models(self, table: str, session: str | None = None) -> list[Any]:
        from recorder.store.model_rows import ROWS, columns, key  # a writer of tapes needs none

        names = ", ".join(f'"{name}"' for name in columns(table))
        where, given = ("", ()) if session is None else (" WHERE session = ?", (session,))
        query = f"SELECT {names} FROM {table}{where} ORDER BY {', '.join(key(table))}"
        return list(self._rows(ROWS[table], query, *given))

    def _rows(self, row_type: Callable[..., _R], query: str, *given: object) -> Iterator[_R]:
        make = self._maker(row_type)
        with self._reading(streamed=True) as db:
            for row in db.execute(query, given):
                yield make(*row)

    def _sealed(self, db: Reading, session: str, segment: int) -> tuple[Sealed | None, int]:
        """A segment's sealed form, None while it is open, and its number of channels."""
        row = db.execute(
            f"SELECT channels, {_SEALED} FROM audio WHERE session = ? AND number = ?",
            (session, segment),
        ).fetchone()
        if row is None:
            raise StoreError(f"session {session} has no audio segment {segment}")
        sealed = Sealed(*row[1:])
        return (None if sealed.form is None else sealed), int(row[0])


def _names(row_type: Any) -> str:
    names: Iterable[str] = row_type._fields
    return ", ".join(names)


def _of(row_type: Any, relation: str, order: str, after: str | None = None) -> str:
    """The rows of a session, or those whose column `after` is greater than a second value."""
    beyond = f" AND {after} > ?" if after else ""
    return f"SELECT {_names(row_type)} FROM {relation} WHERE session = ?{beyond} ORDER BY {order}"
