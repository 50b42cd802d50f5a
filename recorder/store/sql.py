"""`Store` on SQLite: written through `append.py`, read through `reading.py`."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from recorder.errors import StoreError
from recorder.store.append import Appender
from recorder.store.base import (
    Batch,
    Models,
    RunRow,
)
from recorder.store.reading import SqlReader
from recorder.store.sqlite import WAL_LIMIT, Readers, explained, wal_bytes
from recorder.store.statements import SQLITE


class SqlStore(SqlReader):
    """One SQLite file: one connection that writes, a pool of connections that read.

    Any thread may call any method; writers wait for each other. `db` is None for a store that is
    only read. Both connections belong to the store, which closes them.
    """

    def __init__(self, path: Path, readers: Readers, db: sqlite3.Connection | None) -> None:
        self.path = path
        self._readers = readers
        self._db = db
        if db is not None:  # what undoes one statement, a few rows: no call ends for want of /tmp
            db.execute("PRAGMA temp_store = MEMORY")
        self._appender = Appender()
        self._lock = threading.Lock()
        self._open = True
        self._inode = os.stat(path).st_ino
        self._copied = 0  # size of a WAL that outgrew its limit, when it was last copied

    def commit(self, batch: Batch) -> None:
        with self._writing() as db:
            self._appender.append(db, batch)

    def put_run(self, run: RunRow) -> None:
        with self._writing() as db:
            db.execute(SQLITE.put_run, run)

    def put_setting(self, name: str, value: bytes) -> None:
        with self._writing() as db:
            db.execute(SQLITE.put_setting, (name, value))

    def put_models(self, session: str, models: Models) -> None:
        from recorder.store.derived import replace_models  # a writer of tapes never needs it

        if self.session(session) is None:
            raise StoreError(f"session {session} is not there: read models belong to one")
        with self._writing() as db:
            replace_models(db, session, models)

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
            self._readers.close()
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
                self._appender.forget()
                raise

    @contextmanager
    def _reading(self, *, streamed: bool = False) -> Iterator[sqlite3.Connection]:
        self._check_open()
        with explained(self.path), self._readers.reading() as db:
            yield db

    def _check_open(self) -> None:
        if not self._open:
            raise StoreError(f"{self.path}: the store is closed")
