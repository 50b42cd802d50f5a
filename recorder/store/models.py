"""The tables of the read models: made from the row types, dropped and made anew by an upgrade.

They hold nothing that cannot be derived from the tape again, so that they have no history of
migrations: like the views they are as this program knows them.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Double,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
)

from recorder.store.about import ABOUT
from recorder.store.model_rows import ROWS, key
from recorder.store.search import create_search, drop_search

metadata = MetaData()

_TYPES: Final[Mapping[type, Any]] = {int: BigInteger, float: Double, str: Text, bool: Integer}


def _column(table: str, name: str, annotation: Any) -> Column[Any]:
    options = typing.get_args(annotation) if isinstance(annotation, types.UnionType) else ()
    plain = next((each for each in options if each is not type(None)), annotation)
    return Column(
        name.rstrip("_"),
        _TYPES[plain],
        primary_key=name in key(table),
        nullable=bool(options),
        comment=ABOUT[table][name],
    )


def _table(name: str, row: Any) -> Table:
    hints = typing.get_type_hints(row)
    return Table(
        name,
        metadata,
        *(_column(name, field, hints[field]) for field in row._fields),
        comment=ABOUT[name][""],
        sqlite_with_rowid=name == "transcript",  # what is searched needs one
    )


TABLES: Final = {name: _table(name, row) for name, row in ROWS.items()}

# What the views look values up by.
Index("metric_by_name", *(TABLES["metric"].c[n] for n in ("metric", "session", "turn", "value")))
Index("cost_line_by_turn", *(TABLES["cost_line"].c[name] for name in ("session", "turn")))


def drop_models(connection: Connection) -> None:
    """Drop the read models, and with them what searches them."""
    drop_search(connection)
    metadata.drop_all(connection)


def create_models(connection: Connection) -> None:
    """Make empty read models; they must not exist."""
    metadata.create_all(connection)
    create_search(connection)
