"""`Store` in PostgreSQL: the same statements, keys and triggers as in SQLite, on a server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final, TypeVar

from sqlalchemy import URL, Connection, CursorResult, Engine, inspect

from recorder.errors import StoreError
from recorder.store.append import Appender
from recorder.store.base import Batch, Models, RunRow
from recorder.store.derived import replace_models
from recorder.store.engine import disposed
from recorder.store.opening import REVISION, other_revision, revision_of
from recorder.store.postgres_engine import (
    Cursor,
    explained,
    postgres_engine,
    postgres_url,
    restored,
    shown,
)
from recorder.store.reading import SqlReader
from recorder.store.statements import statements

_R = TypeVar("_R")
_SQL: Final = statements("%s")
_FETCH: Final = 256  # rows of an answer that are held at a time, if it is streamed
_LOCK: Final = "SELECT id FROM session WHERE id = ANY(%s) ORDER BY id FOR UPDATE"
_FILLING: Final = 0x7265636F72646572
"""An advisory lock: who makes the tables."""


class Asking:
    """A connection of SQLAlchemy in the manner of `reading.Reading`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, given: tuple[Any, ...], /) -> CursorResult[Any]:
        """Ask one question."""
        return self._connection.exec_driver_sql(sql.replace("?", "%s"), given)


class PostgresStore(SqlReader):
    """One database: connections of a pool, one of which writes at a time."""

    def __init__(self, url: URL, engine: Engine, *, readonly: bool) -> None:
        self.url = url
        self._engine = engine
        self._readonly = readonly
        self._appender = Appender(_SQL)
        self._lock = threading.Lock()
        self._open = True

    def commit(self, batch: Batch) -> None:
        ids = {row.session for row in batch.events} | {row.session for row in batch.chunks}
        with self._writing() as db:
            # Another program may end the same session: SQLite has one writer, here it waits.
            db.execute(_LOCK, (sorted(ids),))
            self._appender.append(db, batch)

    def put_run(self, run: RunRow) -> None:
        with self._writing() as db:
            db.execute(_SQL.put_run, run)

    def put_setting(self, name: str, value: bytes) -> None:
        with self._writing() as db:
            db.execute(_SQL.put_setting, (name, value))

    def put_models(self, session: str, models: Models) -> None:
        if self.session(session) is None:
            raise StoreError(f"session {session} is not there: read models belong to one")
        with self._writing() as db:
            db.execute(_LOCK, ([session],))
            replace_models(db, session, models, "%s")

    def exists(self) -> bool:
        """A server keeps what it has; that it is gone is told by the next commit."""
        return True

    def maintain(self) -> None:
        """The server looks after itself."""

    def close(self) -> None:
        """Give all connections back; a second time does nothing."""
        with self._lock:
            self._open = False
            self._engine.dispose()

    @contextmanager
    def _writing(self) -> Iterator[Cursor]:
        with self._lock, explained(self.url):
            self._check_open()
            if self._readonly:
                raise StoreError(f"{shown(self.url)}: opened for reading only: open it for writing")
            try:
                with self._engine.begin() as connection:
                    driver: Any = connection.connection.driver_connection
                    yield Cursor(driver)
            except BaseException:
                self._appender.forget()
                raise

    @contextmanager
    def _reading(self, *, streamed: bool = False) -> Iterator[Asking]:
        self._check_open()
        with explained(self.url), self._engine.connect() as connection:
            yield Asking(connection.execution_options(yield_per=_FETCH) if streamed else connection)

    def _check_open(self) -> None:
        if not self._open:
            raise StoreError(f"{shown(self.url)}: the store is closed")

    def _maker(self, row_type: Callable[..., _R]) -> Callable[..., _R]:
        def make(*values: Any) -> _R:
            return row_type(*map(restored, values))

        return make


def open_postgres(text: str, *, create: bool, readonly: bool) -> PostgresStore:
    """Open the store in a database; with `create`, one in an empty database is made."""
    url = postgres_url(text)
    with ExitStack() as undone:
        engine = undone.enter_context(disposed(postgres_engine(url, readonly=readonly)))
        found = revision(engine, url)
        if found is None and create and not readonly:
            fill(engine, url)
        elif found is None:
            raise StoreError(
                f"{shown(url)}: an empty database, no store: `record proxy --store {shown(url)}`"
                " makes one"
            )
        elif found != REVISION:
            raise unfit(url, found)
        undone.pop_all()
    return PostgresStore(url, engine, readonly=readonly)


def revision(engine: Engine, url: URL) -> str | None:
    """The revision of the store in a database; None if the database is empty."""
    with explained(url), engine.connect() as connection:
        tables = inspect(connection).get_table_names()
        return revision_of(tables, connection.exec_driver_sql, shown(url))


def fill(engine: Engine, url: URL) -> None:
    """Make the schema, or bring it to this program's; only one program does so at a time."""
    from recorder.store.migrate import migrate  # loads Alembic

    with explained(url), engine.begin() as connection:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_FILLING})")
        migrate(connection)


def unfit(url: URL, found: str) -> StoreError:
    """Why a store of another revision is not opened."""
    return other_revision(shown(url), found, "`record db upgrade`, after a copy with pg_dump")
