"""`Store` on SQLite: written through `append.py`, read through SQLAlchemy Core."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine, Executable, func, select

import recorder.store.schema as t
from recorder.errors import StoreError
from recorder.store.append import PUT_RUN, PUT_SETTING, append
from recorder.store.base import (
    AudioRef,
    Batch,
    ChannelRow,
    EventRow,
    Models,
    RunRow,
    Sealed,
    SegmentRow,
    SessionRow,
)
from recorder.store.derived import drop_of, insert_into
from recorder.store.engine import WAL_LIMIT, explained, wal_bytes
from recorder.store.models import ROWS, TABLES
from recorder.store.segments import wire_bytes

_R = TypeVar("_R")
_FETCH: Final = 256  # rows a reader holds at a time
_EVENT: Final = [t.event.c[name] for name in EventRow._fields]
_SEGMENT: Final = [t.audio.c[name] for name in SegmentRow._fields]
_SEALED: Final = [t.audio.c["number" if n == "segment" else n] for n in Sealed._fields]


class SqlStore:
    """One SQLite file: one connection that writes, a pool of connections that read.

    Any thread may call any method; writers wait for each other. `db` is None for a store that is
    only read. Both connections belong to the store, which closes them.
    """

    def __init__(self, path: Path, reader: Engine, db: sqlite3.Connection | None) -> None:
        self.path = path
        self._reader = reader
        self._db = db
        self._lock = threading.Lock()
        self._open = True
        self._inode = os.stat(path).st_ino
        self._copied = 0  # size of a WAL that outgrew its limit, when it was last copied

    def commit(self, batch: Batch) -> None:
        with self._writing() as db:
            append(db, batch)

    def put_run(self, run: RunRow) -> None:
        with self._writing() as db:
            db.execute(PUT_RUN, run)

    def put_setting(self, name: str, value: bytes) -> None:
        with self._writing() as db:
            db.execute(PUT_SETTING, (name, value))

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
            return None if row is None else SessionRow(*row)

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

    def put_models(self, session: str, models: Models) -> None:
        if self.session(session) is None:
            raise StoreError(f"session {session} is not there: read models belong to one")
        with self._writing() as db:
            for table in TABLES:
                db.execute(drop_of(table), (session,))
                if models.get(table):
                    db.executemany(insert_into(table), map(tuple, models[table]))

    def models(self, table: str, session: str | None = None) -> list[Any]:
        made = TABLES[table]
        query = select(made).order_by(*made.primary_key.columns)
        if session is not None:
            query = query.where(made.c.session == session)
        return list(self._rows(ROWS[table], query))

    def exists(self) -> bool:
        """Whether the file is still the one that was opened."""
        try:
            return os.stat(self.path).st_ino == self._inode
        except OSError:
            return False

    def maintain(self) -> None:
        """Copy the WAL into the file once it has grown by `WAL_LIMIT`, so that no commit has to.

        What a reader still needs stays for the next time.
        """
        with self._lock, explained(self.path):
            size = wal_bytes(self.path)
            if size <= WAL_LIMIT:
                self._copied = 0  # the WAL was begun anew
            elif size - self._copied > WAL_LIMIT and self._db is not None:
                self._db.execute("PRAGMA wal_checkpoint(PASSIVE)")
                self._copied = size

    def close(self) -> None:
        """Copy the WAL into the file and close it; a second time does nothing."""
        with self._lock, explained(self.path):
            self._open = False
            self._reader.dispose()
            db, self._db = self._db, None
            if db is not None:
                with closing(db):
                    db.execute("PRAGMA busy_timeout = 0")  # a reader may finish after us
                    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, explained(self.path):
            self._check_open()
            if self._db is None:
                raise StoreError(f"{self.path}: opened for reading only: open it for writing")
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                self._db.rollback()
                raise

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        self._check_open()
        with explained(self.path), self._reader.connect() as connection:
            yield connection

    def _check_open(self) -> None:
        if not self._open:
            raise StoreError(f"{self.path}: the store is closed")

    def _rows(self, row_type: Callable[..., _R], query: Executable) -> Iterator[_R]:
        with self._reading() as connection:
            for row in connection.execution_options(yield_per=_FETCH).execute(query):
                yield row_type(*row)

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
