"""`record sql`: ask the store a question."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from decimal import Decimal
from itertools import chain
from math import isfinite
from typing import TYPE_CHECKING, Any

import click

from recorder.commands.common import open_for_reading, screen_width, store_option
from recorder.commands.derived import derived_first
from recorder.counting import counted
from recorder.errors import RecorderError

_CELL = 120  # characters of a cell in a table
_BLOB = 8  # bytes of a blob in a table

if TYPE_CHECKING:
    from recorder.store.cookbook import Recipe

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
@click.option(
    "-p",
    "--param",
    "params",
    multiple=True,
    metavar="NAME=VALUE",
    help="What :NAME stands for in the query; of :session, what names a session anywhere.",
)
@click.option("--list", "wants_list", is_flag=True, help="List the named queries.")
@click.option("--as-is", is_flag=True, help="Do not bring read models up to date first.")
@click.argument("query", metavar="QUERY", required=False)
def command(
    store_url: str,
    layout: str,
    params: tuple[str, ...],
    wants_list: bool,
    as_is: bool,
    query: str | None,
) -> None:
    """Ask the store one question in SQL, or the one on standard input if QUERY is `-`. The store
    cannot be changed this way. QUERY may be the name of a query that comes with this program:
    @slowest-turns; --list shows them, docs/sql.md what they ask.

    Example: record sql "SELECT type, count(*) FROM event GROUP BY type"
    """
    if wants_list or query is None:
        if query is not None or not wants_list:
            raise click.UsageError("give a QUERY, or --list alone")
        for line in _listed():
            click.echo(line)
        return
    if store_url == "memory:":
        raise RecorderError(
            f"{store_url}: only a store in a file or on a server can be asked in SQL"
        )
    open_for_reading(store_url).close()  # tells what is wrong with it
    if not as_is:
        derived_first(store_url)
    sql, given = _question(store_url, query, params)
    from recorder.store.query import asking

    with asking(store_url, sql, given) as (columns, rows):
        if not columns:
            raise RecorderError('there is no question in the query: such as "SELECT 1"')
        for line in _WRITERS[layout](columns, rows):
            click.echo(line)


def _listed() -> Iterator[str]:
    from recorder.report.tables import Column, table
    from recorder.store.cookbook import recipes

    rows = [
        [f"@{each.name}", each.question, " ".join(f"{k}={v}" for k, v in each.parameters.items())]
        for each in recipes().values()
    ]
    yield from table([Column("NAME"), Column("QUESTION"), Column("-p")], rows, screen_width())


def _question(store_url: str, query: str, params: tuple[str, ...]) -> tuple[str, dict[str, str]]:
    """The SQL, and the value of each of its parameters."""
    given = dict(_param(each) for each in params)
    if not query.startswith("@"):
        sql = sys.stdin.read() if query == "-" else query
    else:
        recipe = _recipe(store_url, query)
        unknown = given.keys() - recipe.parameters.keys()
        if unknown:
            has = ", ".join(recipe.parameters) or "none"
            raise RecorderError(f"{query} has no parameter {min(unknown)!r}; it has: {has}")
        for name, value in given.items():
            if _is_number(recipe.parameters[name]) and not _is_number(value):
                raise RecorderError(
                    f"{query} takes a number for {name}, not {value!r}: such as"
                    f" -p {name}={recipe.parameters[name]}"
                )
        sql, given = recipe.sql, {**recipe.parameters, **given}
    if "session" in given:
        given["session"] = _session(store_url, given["session"])
    return sql, given


def _is_number(text: str) -> bool:
    try:
        return isfinite(float(text))
    except ValueError:
        return False


def _param(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise click.UsageError(f"--param {text!r} is not NAME=VALUE, such as session=last")
    return name, value


def _recipe(store_url: str, query: str) -> Recipe:
    from difflib import get_close_matches

    from recorder.store import is_postgres
    from recorder.store.cookbook import recipes

    known = recipes("postgresql" if is_postgres(store_url) else "sqlite")
    name = query.removeprefix("@")
    if name not in known:
        near = "".join(f"; is it @{each}?" for each in get_close_matches(name, known, 1))
        raise RecorderError(f"no query {query}: `record sql --list` shows them{near}")
    return known[name]


def _session(store_url: str, name: str) -> str:
    from recorder.recording import find_session

    with closing(open_for_reading(store_url)) as store:
        return find_session(store, name).id


def _table(columns: list[str], rows: Rows) -> Iterator[str]:
    from recorder.report.tables import Column, table

    cells = [[_cell(value) for value in row] for row in rows]
    numeric = [_numeric([row[at] for row in cells]) for at in range(len(columns))]
    headings = [Column(_cell(name), 6, right) for name, right in zip(columns, numeric, strict=True)]
    yield from table(headings, cells, screen_width())
    yield counted(len(cells), "row")


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
        values = map(_plain, row)
        yield before
        before = json.dumps(dict(zip(columns, values, strict=True))) + ","
    yield before.removesuffix(",")
    yield "]"


def _plain(value: Any) -> Any:
    """A value as JSON can tell it."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Decimal):  # PostgreSQL's NUMERIC
        return int(value) if value == value.to_integral() else float(value)
    return value if value is None or isinstance(value, int | float | str) else str(value)


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
