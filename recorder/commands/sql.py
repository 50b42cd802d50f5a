"""`record sql`: ask the store a question."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from itertools import chain
from typing import Any

import click

from recorder.commands.common import open_for_reading, screen_width, store_option
from recorder.errors import RecorderError

_CELL = 120  # characters of a cell in a table
_BLOB = 8  # bytes of a blob in a table
Rows = Iterable[tuple[Any, ...]]


@click.command()
@store_option
@click.option(
    "--format",
    "layout",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
    help="table cuts long cells; json and csv give all, blobs as hexadecimal.",
)
@click.argument("query", metavar="QUERY")
def command(store_url: str, layout: str, query: str) -> None:
    """Ask the store one question in SQL, or the one on standard input if QUERY is `-`. The store
    cannot be changed this way.

    Example: record sql "SELECT type, count(*) FROM event GROUP BY type"
    """
    sql = sys.stdin.read() if query == "-" else query
    with closing(open_for_reading(store_url)) as store:
        path = getattr(store, "path", None)
    if path is None:
        raise RecorderError(f"{store_url}: only a store in a file can be asked in SQL")
    from recorder.store.query import asking

    with asking(path, sql) as (columns, rows):
        if not columns:
            raise RecorderError('there is no question in the query: such as "SELECT 1"')
        for line in _WRITERS[layout](columns, rows):
            click.echo(line)


def _table(columns: list[str], rows: Rows) -> Iterator[str]:
    from recorder.report.tables import Column, table

    cells = [[_cell(value) for value in row] for row in rows]
    numeric = [_numeric([row[at] for row in cells]) for at in range(len(columns))]
    headings = [Column(_cell(name), 6, right) for name, right in zip(columns, numeric, strict=True)]
    yield from table(headings, cells, screen_width())
    yield "1 row" if len(cells) == 1 else f"{len(cells)} rows"


def _numeric(cells: list[str]) -> bool:
    """Whether a column is best aligned to the right."""
    return any(cells) and all(
        cell.replace(".", "", 1).lstrip("-").isdecimal() for cell in cells if cell
    )


def _cell(value: Any) -> str:
    from recorder.report.wording import clip, printable

    if value is None:
        return ""
    if isinstance(value, bytes):
        more = "…" if len(value) > _BLOB else ""
        return f"{value[:_BLOB].hex()}{more} ({len(value)} B)"
    return clip(printable(str(value)), _CELL)


def _json(columns: list[str], rows: Rows) -> Iterator[str]:
    """A list of objects, one a line."""
    twice = next((name for name in columns if columns.count(name) > 1), None)
    if twice is not None:
        raise RecorderError(f"two columns are called {twice!r}: tell them apart with AS")
    before = "["
    for row in rows:
        values = (value.hex() if isinstance(value, bytes) else value for value in row)
        yield before
        before = json.dumps(dict(zip(columns, values, strict=True))) + ","
    yield before.removesuffix(",")
    yield "]"


def _csv(columns: list[str], rows: Rows) -> Iterator[str]:
    """Lines with a heading; NULL is an empty field."""
    for row in chain((columns,), rows):
        text = io.StringIO()
        csv.writer(text, lineterminator="").writerow(
            [value.hex() if isinstance(value, bytes) else value for value in row]
        )
        yield text.getvalue()


_WRITERS: dict[str, Callable[[list[str], Rows], Iterator[str]]] = {
    "table": _table,
    "json": _json,
    "csv": _csv,
}
