"""Reading a store through SQLAlchemy Core: the same for SQLite and PostgreSQL."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Executable, func, select

import recorder.store.schema as t
import recorder.store.tape_views as v
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
_FETCH: Final = 256  # rows a reader holds at a time
_LABEL: Final = [t.session.c[name] for name in SessionRow._fields]
_SEGMENT: Final = [v.audio.c[name] for name in SegmentRow._fields]
_SEALED: Final = [v.audio.c["number" if n == "segment" else n] for n in Sealed._fields]


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
        return list(self._rows(SessionRow, select(*_LABEL).order_by(t.session.c.id)))

    def session(self, session: str) -> SessionRow | None:
        with self._reading() as connection:
            row = connection.execute(select(*_LABEL).where(t.session.c.id == session)).first()
            return None if row is None else self._maker(SessionRow)(*row)

    def channels(self, session: str) -> list[ChannelRow]:
        query = (
            select(v.channel).where(v.channel.c.session == session).order_by(v.channel.c.channel)
        )
        return list(self._rows(ChannelRow, query))

    def count(self, session: str) -> int:
        number = select(t.session.c.number).where(t.session.c.id == session).scalar_subquery()
        last = func.coalesce(func.max(t.tape_event.c.seq), 0)
        query = select(last).where(t.tape_event.c.session == number)
        with self._reading() as connection:
            return int(connection.execute(query).scalar_one())

    def events(self, session: str, after: int = 0) -> Iterator[EventRow]:
        wanted = (v.event.c.session == session, v.event.c.seq > after)
        return self._rows(EventRow, select(v.event).where(*wanted).order_by(v.event.c.seq))

    def refs(self, session: str, after: int = 0) -> Iterator[AudioRef]:
        wanted = (v.event_audio.c.session == session, v.event_audio.c.seq > after)
        order = (v.event_audio.c.seq, v.event_audio.c.ordinal)
        return self._rows(AudioRef, select(v.event_audio).where(*wanted).order_by(*order))

    def segments(self, session: str) -> list[SegmentRow]:
        query = select(*_SEGMENT).where(v.audio.c.session == session).order_by(v.audio.c.number)
        return list(self._rows(SegmentRow, query))

    def sealed(self, session: str, segment: int) -> Sealed | None:
        with self._reading() as connection:
            return self._sealed(connection, session, segment)[0]

    def audio(self, session: str, segment: int) -> bytes:
        with self._reading() as connection:
            sealed, channels = self._sealed(connection, session, segment)
            if sealed is None:
                wanted = (v.audio_chunk.c.session == session, v.audio_chunk.c.segment == segment)
                query = select(v.audio_chunk).where(*wanted).order_by(v.audio_chunk.c.start)
                chunks = connection.execute(query)
                return b"".join(repeated(chunk.data, chunk.size) for chunk in chunks)
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
        query = select(v.audio.c.channels, *_SEALED)
        wanted = (v.audio.c.session == session, v.audio.c.number == segment)
        row = connection.execute(query.where(*wanted)).one_or_none()
        if row is None:
            raise StoreError(f"session {session} has no audio segment {segment}")
        return (None if row.form is None else Sealed(*row[1:])), int(row.channels)
