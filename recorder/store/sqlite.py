"""SQLite: where a file is, how it is opened, and what its errors mean."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Final, Literal
from urllib.parse import quote

from recorder.errors import StoreError

WAL_LIMIT: Final = 64 << 20
"""Bytes the WAL file may keep once its pages are in the main file."""
BUSY_S: Final = 5.0
"""Seconds to wait for another writer."""
_KEPT: Final = 5  # connections that wait for the next reader

Mode = Literal["rw", "ro", "immutable"]

_REMEDIES: Final = {
    sqlite3.SQLITE_FULL: "the disk is full: free some space",
    sqlite3.SQLITE_BUSY: f"locked by another program for {BUSY_S:.0f} s: close that, or name"
    " another file with --store",
    sqlite3.SQLITE_LOCKED: "locked: end the other use of it",
    sqlite3.SQLITE_READONLY: "read-only: make the file and its folder writable, or name another"
    " file with --store",
    sqlite3.SQLITE_NOTADB: "not an SQLite database: name another file with --store",
    sqlite3.SQLITE_CORRUPT: "damaged: restore a copy made with `record db backup`",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened: see that the file and its folder can be read"
    " and written",
    sqlite3.SQLITE_IOERR: "the disk refused: see that it is healthy, has space left and no quota"
    " is used up",
    sqlite3.SQLITE_CONSTRAINT: "refused by a rule of the store",
}


def sqlite_path(url: str) -> Path:
    """The file of `sqlite:///relative`, `sqlite:////absolute` or a bare path."""
    if "://" not in url:
        return Path(url)
    if not url.startswith("sqlite:///") or url in ("sqlite:///", "sqlite:///:memory:"):
        raise StoreError(f"{url}: a store is sqlite:///PATH, a path, or postgresql+psycopg://…")
    return Path(url.removeprefix("sqlite:///"))


def create_file(path: Path) -> None:
    """Create an empty file with mode 0600; SQLite gives its -wal and -shm the same."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        return  # another process was first; both then take the same lock to fill it
    except OSError as error:
        raise StoreError(
            f"{path} cannot be created ({error.strerror}): name a file in a writable folder"
        ) from error


def writable(path: Path) -> bool:
    """Whether this user may write `path` (asked without opening it: that would drop its locks)."""
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def wal_bytes(path: Path) -> int:
    """The size of the WAL file; 0 when there is none."""
    try:
        return os.stat(f"{path}-wal").st_size
    except FileNotFoundError:
        return 0


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn a database error into a `StoreError` of one line: the file, the cause, the remedy."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(explain(path, error)) from error


def explain(path: Path, error: BaseException) -> str:
    """One line about `error`."""
    code = getattr(error, "sqlite_errorcode", None)
    remedy = None if code is None else _REMEDIES.get(code & 0xFF)
    return f"{path}: {error}" if remedy is None else f"{path}: {remedy} ({error})"


def connector(path: Path, mode: Mode) -> Callable[[], sqlite3.Connection]:
    """How to connect to an existing file; `rw` also sets it up for writing."""
    query = "mode=ro&immutable=1" if mode == "immutable" else f"mode={mode}"
    uri = f"file:{quote(str(path.absolute()))}?{query}"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            uri, uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False
        )
        if mode == "rw":
            try:
                _prepare(connection)
            except sqlite3.Error:
                connection.close()
                raise
        return connection

    return connect


def _prepare(connection: sqlite3.Connection) -> None:
    """The settings of a writer."""
    for pragma in (
        "journal_mode = WAL",
        "synchronous = NORMAL",  # a killed process loses nothing; a power cut may lose the WAL
        "foreign_keys = ON",
        "recursive_triggers = ON",  # else INSERT OR REPLACE would pass by the DELETE triggers
        "wal_autocheckpoint = 0",  # `SqlStore.maintain` does it when nobody waits
        f"journal_size_limit = {WAL_LIMIT}",
    ):
        connection.execute(f"PRAGMA {pragma}")


class Readers:
    """Connections that read a file, one for each that reads at a time; any thread may."""

    def __init__(self, path: Path, mode: Mode) -> None:
        self._connect = connector(path, mode)
        self._idle: list[sqlite3.Connection] = []
        self._open = True
        self._lock = Lock()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One of them, in a transaction: what it reads stands at one moment."""
        with self._lock:
            db = self._idle.pop() if self._idle else None
        db = db or self._connect()
        try:
            db.execute("BEGIN")
            yield db
        finally:
            self._take_back(db)

    def _take_back(self, db: sqlite3.Connection) -> None:
        db.rollback()
        with self._lock:
            if self._open and len(self._idle) < _KEPT:
                self._idle.append(db)
                return
        db.close()

    def close(self) -> None:
        """Close those that nobody reads with, and the others once they are given back."""
        with self._lock:
            self._open = False
            idle, self._idle = self._idle, []
        for db in idle:
            db.close()
