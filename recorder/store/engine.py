"""SQLite behind SQLAlchemy: for migrations and exports of all there is. What records and what reads
tapes goes without, by `sqlite.py`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool, QueuePool

from recorder.errors import StoreError
from recorder.store import sqlite
from recorder.store.sqlite import Mode, connector, explain


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """As `sqlite.explained`, for errors that SQLAlchemy has wrapped, too."""
    with sqlite.explained(path):
        try:
            yield
        except DBAPIError as error:
            raise StoreError(explain(path, error.orig or error)) from error


@contextmanager
def disposed(engine: Engine) -> Iterator[Engine]:
    """An engine whose connections are given back at the end."""
    try:
        yield engine
    finally:
        engine.dispose()


def open_engine(path: Path, mode: Mode) -> Engine:
    """An engine whose transactions begin in SQL, so that schema changes roll back as well."""
    connect = connector(path, mode)
    if mode == "rw":
        begin = "BEGIN IMMEDIATE"
        engine = create_engine("sqlite://", creator=connect, poolclass=NullPool)
    else:
        begin = "BEGIN"
        engine = create_engine("sqlite://", creator=connect, poolclass=QueuePool, max_overflow=-1)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
