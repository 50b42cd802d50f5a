"""How read models are written: statements compiled from their tables, each once."""

from __future__ import annotations

from functools import cache

from sqlalchemy import Dialect, bindparam, delete, insert

from recorder.store.base import Models
from recorder.store.models import TABLES
from recorder.store.statements import SQLITE_DIALECT, Db


def replace_models(db: Db, session: str, models: Models, dialect: Dialect = SQLITE_DIALECT) -> None:
    """Put rows in the place of all that are there of a session."""
    for table in TABLES:
        db.execute(_drop_of(table, dialect), (session,))
        if models.get(table):
            db.executemany(_insert_into(table, dialect), map(tuple, models[table]))


@cache
def _drop_of(table: str, dialect: Dialect) -> str:
    statement = delete(TABLES[table]).where(TABLES[table].c.session == bindparam("s"))
    return str(statement.compile(dialect=dialect))


@cache
def _insert_into(table: str, dialect: Dialect) -> str:
    names = TABLES[table].columns.keys()
    statement = insert(TABLES[table]).values({name: bindparam(name) for name in names})
    return str(statement.compile(dialect=dialect))
