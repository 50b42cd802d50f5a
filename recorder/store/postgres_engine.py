"""PostgreSQL behind SQLAlchemy: how a server is reached, what its errors mean, and what a text in
it looks like."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import URL, Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from recorder.errors import StoreError

if TYPE_CHECKING:
    import psycopg

WAIT_S: Final = 5
"""Seconds to wait for the server, and for another writer."""

_DRIVER: Final = "postgresql+psycopg"
_MARK: Final = "\uf8ff"
_PACKED: Final = re.compile(f"{_MARK}([01])")
_REMEDIES: Final = (  # by the class of SQLSTATE
    ("08", "cannot be reached: see that it runs, and that address, user and database are right"),
    ("23", "refused by a rule of the store"),
    ("25006", "read-only: name a store that may be written with --store"),
    ("42501", "the user lacks a right in this database"),
    ("53100", "the server's disk is full: free some space"),
    ("55P03", f"locked by another program for {WAIT_S} s: close that"),
    ("57", "the server ended the connection"),
    ("P0001", "refused by a rule of the store"),  # RAISE in a trigger
)


def postgres_url(url: str) -> URL:
    """The address of a server; StoreError if it is none."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise StoreError(f"the store's URL cannot be read: {error}") from error
    if parsed.drivername not in ("postgresql", _DRIVER):
        raise StoreError(
            f"{parsed.drivername}: a store in PostgreSQL is {_DRIVER}://USER:PASSWORD@HOST/DATABASE"
        )
    return parsed.set(drivername=_DRIVER)


def shown(url: URL) -> str:
    """The address without its password."""
    return url.render_as_string(hide_password=True)


def postgres_engine(url: URL, *, readonly: bool) -> Engine:
    """An engine; nothing is asked of the server yet."""
    options = f"-c lock_timeout={WAIT_S}s -c timezone=UTC"
    if readonly:
        options += " -c default_transaction_read_only=on"
    try:
        return create_engine(
            url,
            max_overflow=-1,
            pool_pre_ping=True,
            connect_args={"connect_timeout": WAIT_S, "options": options},
        )
    except ModuleNotFoundError as error:
        raise StoreError(
            "PostgreSQL needs psycopg: pip install 'conversation-recorder[postgres]'"
        ) from error


@contextmanager
def explained(url: URL) -> Iterator[None]:
    """Turn an error of the server into a `StoreError` of one line."""
    import psycopg

    try:
        yield
    except DBAPIError as error:
        raise StoreError(_explain(url, error.orig)) from error
    except psycopg.Error as error:
        raise StoreError(_explain(url, error)) from error


def _explain(url: URL, error: BaseException | None) -> str:
    text = " ".join(str(error).split("\n", 1)[0].split())
    code = getattr(error, "sqlstate", None) or ("08" if _is_connection(error) else "")
    remedy = next((words for start, words in _REMEDIES if code.startswith(start)), None)
    return f"{shown(url)}: {text}" if remedy is None else f"{shown(url)}: {remedy} ({text})"


def _is_connection(error: BaseException | None) -> bool:
    import psycopg

    return isinstance(error, psycopg.OperationalError)


def packed(text: str) -> str:
    """A text as PostgreSQL can hold it: without the character NUL, and so that it comes back."""
    if "\0" not in text and _MARK not in text:
        return text
    return text.replace(_MARK, f"{_MARK}1").replace("\0", f"{_MARK}0")


def unpacked(text: str) -> str:
    """What `packed` was given."""
    if _MARK not in text:
        return text
    return _PACKED.sub(lambda found: "\0" if found[1] == "0" else _MARK, text)


def column(value: object) -> object:
    """A value of a row as it is stored: the columns for truth are numbers, as in SQLite."""
    if isinstance(value, str):
        return packed(value)
    return int(value) if isinstance(value, bool) else value


def restored(value: Any) -> Any:
    """A value that was read, as it was before `packed`."""
    return unpacked(value) if isinstance(value, str) else value


class Cursor:
    """A connection of psycopg in the manner of `append.Db`."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._cursor = connection.cursor()

    def execute(self, sql: str, given: object, /) -> psycopg.Cursor:
        """Run one statement."""
        return self._cursor.execute(sql.encode(), [column(value) for value in given])  # type: ignore[attr-defined]

    def executemany(self, sql: str, rows: object, /) -> psycopg.Cursor:
        """Run one statement for each row; `rowcount` is that of all of them."""
        made = [[column(value) for value in row] for row in rows]  # type: ignore[attr-defined]
        self._cursor.executemany(sql.encode(), made)
        return self._cursor
