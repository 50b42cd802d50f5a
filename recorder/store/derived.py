"""How read models are written: statements compiled from their tables, each once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from sqlalchemy import Dialect, bindparam, delete, insert
from sqlalchemy.dialects import postgresql, sqlite

from recorder.store.append import Db
from recorder.store.base import Models
from recorder.store.models import TABLES

_PSYCOPG: Final[Any] = postgresql.psycopg.dialect
DIALECTS: Final[Mapping[str, Dialect]] = {
    "sqlite": sqlite.dialect(),
    "postgresql": _PSYCOPG(paramstyle="format"),
}
"""With positional parameters, as the drivers take them."""


def replace_models(db: Db, session: str, models: Models, dialect: str = "sqlite") -> None:
    """Put rows in the place of all that are there of a session."""
    for table in TABLES:
        db.execute(_drop_of(table, dialect), (session,))
        if models.get(table):
            db.executemany(_insert_into(table, dialect), map(tuple, models[table]))


@cache
def _drop_of(table: str, dialect: str) -> str:
    statement = delete(TABLES[table]).where(TABLES[table].c.session == bindparam("s"))
    return str(statement.compile(dialect=DIALECTS[dialect]))


@cache
def _insert_into(table: str, dialect: str) -> str:
    names = TABLES[table].columns.keys()
    statement = insert(TABLES[table]).values({name: bindparam(name) for name in names})
    return str(statement.compile(dialect=DIALECTS[dialect]))
