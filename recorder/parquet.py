"""A store as Parquet files, one a table or view: for questions that outgrow a database."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import BigInteger, Connection, Double, Integer, LargeBinary, Table

from recorder.errors import RecorderError
from recorder.store import is_postgres, models, open_store, tape_views
from recorder.store.engine import disposed, explained, open_engine
from recorder.store.files import read_mode
from recorder.store.sqlite import sqlite_path
from recorder.store.view_about import VIEW_ABOUT

if TYPE_CHECKING:
    import pyarrow

_ROWS: Final = 20_000  # of a row group, at most
_BYTES: Final = 32 << 20
_LEFT_OUT: Final = frozenset({"setting"})  # holds the key of the secret markers
_KINDS: Final[Mapping[type, str]] = {
    BigInteger: "integer",
    Integer: "integer",
    Double: "real",
    LargeBinary: "bytes",
}


class Written(NamedTuple):
    """One file."""

    name: str
    rows: int
    bytes: int


def export_parquet(url: str, folder: Path) -> list[Written]:
    """Write all tables and views, as they stand at one moment, as `NAME.parquet` into `folder`;
    files of these names are replaced. StoreError, or RecorderError if that cannot be written."""
    open_store(url, create=False, readonly=True).close()  # tells what is wrong with it
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _connection(url) as connection:
            return [
                _write(connection, name, columns, folder, is_postgres(url))
                for name, columns in _relations().items()
            ]
    except OSError as error:
        raise RecorderError(
            f"cannot write {folder} ({error.strerror or error}): name a folder on a disk with room,"
            " in a place you may write to"
        ) from error


def _relations() -> dict[str, dict[str, str]]:
    """Tables and views: the type of each column by its name."""
    tables: list[Table] = [*tape_views.RELATIONS, *models.TABLES.values()]
    found = {
        table.name: {column.name: _KINDS.get(type(column.type), "text") for column in table.columns}
        for table in tables
        if table.name not in _LEFT_OUT
    }
    for name, (_, columns) in VIEW_ABOUT.items():
        found[name] = {column: str(each.type) for column, each in columns.items()}
    return found


@contextmanager
def _connection(url: str) -> Iterator[Connection]:
    """One transaction that reads."""
    if is_postgres(url):
        from recorder.store import postgres_engine as server

        address = server.postgres_url(url)
        engine = server.postgres_engine(address, readonly=True)
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
        told = server.explained(address)
    else:
        path = sqlite_path(url)
        engine, told = open_engine(path, read_mode(path)), explained(path)
    with disposed(engine), told, engine.connect() as connection:
        yield connection


def _write(
    connection: Connection, name: str, columns: dict[str, str], folder: Path, is_packed: bool
) -> Written:
    arrow, parquet = _pyarrow()
    wanted = arrow.schema([(column, _type(arrow, kind)) for column, kind in columns.items()])
    listed = ", ".join(f'"{column}"' for column in columns)
    query = f'SELECT {listed} FROM "{name}"'
    path, part = folder / f"{name}.parquet", folder / f"{name}.parquet.part"
    rows = 0
    try:
        with parquet.ParquetWriter(part, wanted, compression="zstd") as writer:
            for group in _groups(connection, query, is_packed):
                cells = zip(*group, strict=True)
                arrays = [
                    arrow.array(list(cell), each.type)
                    for cell, each in zip(cells, wanted, strict=True)
                ]
                writer.write_batch(arrow.record_batch(arrays, schema=wanted))
                rows += len(group)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return Written(name, rows, path.stat().st_size)


def _groups(connection: Connection, query: str, is_packed: bool) -> Iterator[list[list[Any]]]:
    """The rows, as many at a time as may be held."""
    group: list[list[Any]] = []
    held = 0
    for row in connection.execution_options(yield_per=256).exec_driver_sql(query):
        group.append([_plain(value, is_packed) for value in row])
        held += sum(len(value) for value in row if isinstance(value, str | bytes))
        if len(group) >= _ROWS or held >= _BYTES:
            yield group
            group, held = [], 0
    if group:
        yield group


def _plain(value: Any, is_packed: bool) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    if is_packed:
        from recorder.store.postgres_engine import restored

        return restored(value)
    return value


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError as error:
        raise RecorderError(
            "Parquet needs pyarrow: pip install 'conversation-recorder[parquet]'"
        ) from error
    return pyarrow, pyarrow.parquet


def _type(arrow: Any, kind: str) -> pyarrow.DataType:
    return {
        "text": arrow.string(),
        "integer": arrow.int64(),
        "real": arrow.float64(),
        "bytes": arrow.binary(),
    }[kind]
