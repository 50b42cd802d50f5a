"""Reading a store through SQLAlchemy Core: the same for SQLite and PostgreSQL."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Executable, func, select

import recorder.store.schema as t
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
from recorder.store.segments import wire_bytes

_R = TypeVar("_R")
_FETCH: Final = 256  # rows a reader holds at a time
_EVENT: Final = [t.event.c[name] for name in EventRow._fields]
_SEGMENT: Final = [t.audio.c[name] for name in SegmentRow._fields]
_SEALED: Final = [t.audio.c["number" if n == "segment" else n] for n in Sealed._fields]


class SqlReader(ABC):
    """The readers of a `Store`; any thread may call any of them."""

    @abstractmethod
    def _reading(self) -> AbstractContextManager[Connection]:
        """A connection that reads; its errors come out as `StoreError` of one line."""

    def _maker(self, row_type: Callable[..., _R]) -> Callable[..., _R]:
        """What makes a row, as it was put in, of its columns."""
        return row_type

    def setting(self, name: str) -> bytes | None:
        with self._reading() as connection:
            query = select(t.setting.c.value).where(t.setting.c.name == name)
            return connection.execute(query).scalar_one_or_none()

    def runs(self) -> list[RunRow]:
        return list(self._rows(RunRow, select(t.run).order_by(t.run.c.id)))

    def sessions(self) -> list[SessionRow]:
        return list(self._rows(SessionRow, select(t.session).order_by(t.session.c.id)))

    def session(self, session: str) -> SessionRow | None:
        with self._reading() as connection:
            row = connection.execute(select(t.session).where(t.session.c.id == session)).first()
            return None if row is None else self._maker(SessionRow)(*row)

    def channels(self, session: str) -> list[ChannelRow]:
        query = (
            select(t.channel).where(t.channel.c.session == session).order_by(t.channel.c.channel)
        )
        return list(self._rows(ChannelRow, query))

    def count(self, session: str) -> int:
        query = select(func.coalesce(func.max(t.event.c.seq), 0)).where(
            t.event.c.session == session
        )
        with self._reading() as connection:
            return int(connection.execute(query).scalar_one())

    def events(self, session: str, after: int = 0) -> Iterator[EventRow]:
        wanted = (t.event.c.session == session, t.event.c.seq > after)
        return self._rows(EventRow, select(*_EVENT).where(*wanted).order_by(t.event.c.seq))

    def refs(self, session: str, after: int = 0) -> Iterator[AudioRef]:
        wanted = (t.event_audio.c.session == session, t.event_audio.c.seq > after)
        order = (t.event_audio.c.seq, t.event_audio.c.ordinal)
        return self._rows(AudioRef, select(t.event_audio).where(*wanted).order_by(*order))

    def segments(self, session: str) -> list[SegmentRow]:
        query = select(*_SEGMENT).where(t.audio.c.session == session).order_by(t.audio.c.number)
        return list(self._rows(SegmentRow, query))

    def sealed(self, session: str, segment: int) -> Sealed | None:
        with self._reading() as connection:
            return self._sealed(connection, session, segment)[0]

    def audio(self, session: str, segment: int) -> bytes:
        with self._reading() as connection:
            sealed, channels = self._sealed(connection, session, segment)
            if sealed is None:
                wanted = (t.audio_chunk.c.session == session, t.audio_chunk.c.segment == segment)
                query = select(t.audio_chunk.c.data).where(*wanted).order_by(t.audio_chunk.c.start)
                return b"".join(connection.execute(query).scalars())
        return wire_bytes(sealed, channels)

    def models(self, table: str, session: str | None = None) -> list[Any]:
        from recorder.store.models import ROWS, TABLES  # a writer of tapes never needs them

        made = TABLES[table]
        query = select(made).order_by(*made.primary_key.columns)
        if session is not None:
            query = query.where(made.c.session == session)
        return list(self._rows(ROWS[table], query))

    def _rows(self, row_type: Callable[..., _R], query: Executable) -> Iterator[_R]:
        make = self._maker(row_type)
        with self._reading() as connection:
            for row in connection.execution_options(yield_per=_FETCH).execute(query):
                yield make(*row)

    def _sealed(
        self, connection: Connection, session: str, segment: int
    ) -> tuple[Sealed | None, int]:
        """A segment's sealed form, None while it is open, and its number of channels."""
        query = select(t.audio.c.channels, *_SEALED)
        wanted = (t.audio.c.session == session, t.audio.c.number == segment)
        row = connection.execute(query.where(*wanted)).one_or_none()
        if row is None:
            raise StoreError(f"session {session} has no audio segment {segment}")
        return (None if row.form is None else Sealed(*row[1:])), int(row.channels)
