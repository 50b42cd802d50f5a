"""Questions in SQL to a store's file, which nothing here can change."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from recorder.errors import StoreError
from recorder.store.engine import connector
from recorder.store.files import read_mode

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


def _allowed(action: int, first: str | None, *_: str | None) -> int:
    """Reading only. `mode=ro` is not enough: VACUUM INTO and ATTACH would make files."""
    if action in _READING or (action == sqlite3.SQLITE_PRAGMA and first in _PRAGMAS):
        return sqlite3.SQLITE_OK
    if (action, first) == (sqlite3.SQLITE_UPDATE, "sqlite_master"):
        return sqlite3.SQLITE_OK  # a virtual table declares itself so; `mode=ro` keeps the file
    return sqlite3.SQLITE_DENY


@contextmanager
def asking(path: Path, sql: str) -> Iterator[tuple[list[str], Iterator[tuple[Any, ...]]]]:
    """The columns and rows that one statement gives, streamed.

    StoreError of one line for a statement that would change something, or fails.
    """
    try:
        with closing(connector(path, read_mode(path))()) as connection:
            connection.set_authorizer(_allowed)
            cursor = connection.execute(sql)
            yield [column[0] for column in cursor.description or ()], cursor
    except (sqlite3.Error, sqlite3.Warning) as error:
        raise _explained(error) from error


def _explained(error: Exception) -> StoreError:
    code = getattr(error, "sqlite_errorcode", None)
    refused = code in (sqlite3.SQLITE_AUTH, sqlite3.SQLITE_READONLY)
    if refused or "not authorized" in str(error):  # CREATE fails with another code
        return StoreError(
            "a query may only read: SELECT, WITH … SELECT, EXPLAIN, PRAGMA table_info"
        )
    if code == sqlite3.SQLITE_ERROR:
        return StoreError(
            f"the query fails ({error}): `SELECT name, sql FROM sqlite_master` shows what there is"
        )
    return StoreError(f"the query fails: {error}")
