"""How read models are written to SQLite: statements compiled from their tables, each once."""

from __future__ import annotations

from functools import cache

from sqlalchemy import bindparam, delete, insert
from sqlalchemy.dialects import sqlite

from recorder.store.models import TABLES


@cache
def drop_of(table: str) -> str:
    """Delete the rows of one session."""
    statement = delete(TABLES[table]).where(TABLES[table].c.session == bindparam("s"))
    return str(statement.compile(dialect=sqlite.dialect()))


@cache
def insert_into(table: str) -> str:
    """Insert a row that is given as a tuple."""
    names = TABLES[table].columns.keys()
    statement = insert(TABLES[table]).values({name: bindparam(name) for name in names})
    return str(statement.compile(dialect=sqlite.dialect()))
