"""Questions in SQL to a store, which nothing here can change."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from recorder.errors import StoreError
from recorder.store import is_postgres
from recorder.store.files import read_mode
from recorder.store.sqlite import connector, sqlite_path

_READING: Final = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
}
_PRAGMAS: Final = {
    "data_version",  # asked by FTS5
    "database_list",
    "foreign_key_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "integrity_check",
    "quick_check",
    "page_count",
    "page_size",
    "freelist_count",
    "table_info",
    "table_list",
    "table_xinfo",
}
_ONLY_READ: Final = "a query may only read: SELECT, WITH … SELECT, EXPLAIN, PRAGMA table_info"
_COMMENTS: Final = re.compile(r"--[^\n]*|/\*.*?\*/|;", re.DOTALL)

Answer = tuple[list[str], Iterator[tuple[Any, ...]]]
"""The names of the columns, and the rows."""


def _allowed(action: int, first: str | None, *_: str | None) -> int:
    """Reading only. `mode=ro` is not enough: VACUUM INTO and ATTACH would make files."""
    if action in _READING or (action == sqlite3.SQLITE_PRAGMA and first in _PRAGMAS):
        return sqlite3.SQLITE_OK
    if (action, first) == (sqlite3.SQLITE_UPDATE, "sqlite_master"):
        return sqlite3.SQLITE_OK  # a virtual table declares itself so; `mode=ro` keeps the file
    return sqlite3.SQLITE_DENY


@contextmanager
def asking(url: str, sql: str, given: Mapping[str, str] | None = None) -> Iterator[Answer]:
    """The columns and rows that one statement gives, streamed; `given` are its `:name`s.

    StoreError of one line for a statement that would change something, or fails.
    """
    if is_postgres(url):
        asked = _asking_postgres(url, sql, given or {})
    else:
        asked = _asking_file(sqlite_path(url), sql, given or {})
    with asked as answer:
        yield answer


@contextmanager
def _asking_file(path: Path, sql: str, given: Mapping[str, str]) -> Iterator[Answer]:
    try:
        with closing(connector(path, read_mode(path))()) as connection:
            connection.set_authorizer(_allowed)
            cursor = connection.execute(sql, given)
            yield [column[0] for column in cursor.description or ()], cursor
    except (sqlite3.Error, sqlite3.Warning) as error:
        raise _explained(error) from error


@contextmanager
def _asking_postgres(url: str, sql: str, given: Mapping[str, str]) -> Iterator[Answer]:
    """Through a cursor on the server, which takes one SELECT, in a transaction that only reads."""
    from recorder.store.engine import disposed
    from recorder.store.postgres_engine import explained, postgres_engine, postgres_url, restored

    if not _COMMENTS.sub("", sql).strip():
        yield [], iter(())
        return
    address = postgres_url(url)
    with (
        disposed(postgres_engine(address, readonly=True)) as engine,
        explained(address),
        engine.connect() as connection,
    ):
        driver: Any = connection.connection.driver_connection
        with _asked(driver.cursor(name="asking"), sql, given) as cursor:
            rows = (tuple(map(restored, row)) for row in cursor)
            yield [column.name for column in cursor.description or ()], rows


@contextmanager
def _asked(cursor: Any, sql: str, given: Mapping[str, str]) -> Iterator[Any]:
    import psycopg

    try:
        with cursor:
            cursor.execute(_named(sql, given) if given else sql, given or None)
            yield cursor
    except psycopg.errors.ReadOnlySqlTransaction as error:
        raise StoreError(_ONLY_READ) from error
    except psycopg.ProgrammingError as error:
        text = str(error).split("\n", 1)[0]
        raise StoreError(
            f"the query fails ({text}): it must be one SELECT; `SELECT table_name, column_name"
            " FROM information_schema.columns` shows what there is"
        ) from error
    except psycopg.DataError as error:
        raise StoreError("the query fails: " + str(error).split("\n", 1)[0]) from error


def _named(sql: str, given: Mapping[str, str]) -> str:
    """The parameters `:name` as psycopg writes them."""
    names = "|".join(map(re.escape, given))
    return re.sub(rf"(?<![:\w]):({names})\b", r"%(\1)s", sql.replace("%", "%%"))


def _explained(error: Exception) -> StoreError:
    code = getattr(error, "sqlite_errorcode", None)
    refused = code in (sqlite3.SQLITE_AUTH, sqlite3.SQLITE_READONLY)
    words = ("not authorized", "it is a view")  # CREATE, and a change of a view: other codes
    if refused or any(each in str(error) for each in words):
        return StoreError(_ONLY_READ)
    if code == sqlite3.SQLITE_ERROR:
        return StoreError(
            f"the query fails ({error}): `SELECT name, sql FROM sqlite_master` shows what there is"
        )
    return StoreError(f"the query fails: {error}")
