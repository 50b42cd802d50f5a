"""How read models are written: the statements of their tables, each made once."""

from __future__ import annotations

from functools import cache

from recorder.store.base import Models
from recorder.store.model_rows import ROWS, columns
from recorder.store.statements import Db, Mark, insert


def replace_models(db: Db, session: str, models: Models, mark: Mark = "?") -> None:
    """Put rows in the place of all that are there of a session."""
    for table in ROWS:
        db.execute(f"DELETE FROM {table} WHERE session = {mark}", (session,))
        if models.get(table):
            db.executemany(_insert_into(table, mark), map(tuple, models[table]))


@cache
def _insert_into(table: str, mark: Mark) -> str:
    return insert(table, [f'"{name}"' for name in columns(table)], mark)
