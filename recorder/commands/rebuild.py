"""`record rebuild`: make what is derived from the tapes anew."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING

import click

from recorder.commands.common import (
    open_for_reading,
    open_for_writing,
    progress,
    store_option,
)
from recorder.errors import CheckFailed, RecorderError

if TYPE_CHECKING:
    from recorder.pricing import PriceBook
    from recorder.store.base import SessionRow, Store


@click.command()
@store_option
@click.option(
    "--session",
    "sessions",
    multiple=True,
    metavar="SESSION",
    help="Only this one; may be given"
    " several times. An id, a unique prefix of one, or last, last~1, …",
)
@click.option("--trial", metavar="NAME", help="Only the sessions of a trial.")
@click.option(
    "--prices",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="Price with what the book lists for this day (2026-11-01).  [default: the book's own day]",
)
@click.option(
    "--check", is_flag=True, help="Change nothing; exit code 1 if something would change."
)
def command(
    store_url: str,
    sessions: tuple[str, ...],
    trial: str | None,
    prices: datetime | None,
    check: bool,
) -> None:
    """Make the read models of sessions anew from their tapes: turns, transcripts, tool calls,
    metrics, costs. They come out the same, unless the program or the prices have changed.

    Example: record rebuild --check
    """
    from recorder.pricing import PriceBook

    if sessions and trial:
        raise click.UsageError("name sessions or a trial, not both")
    book = PriceBook.shipped(prices.date() if prices else None)
    opened = open_for_reading(store_url) if check else open_for_writing(store_url, create=False)
    with closing(opened) as store:
        rows = _chosen(store, sessions, trial)
        if check:
            _check(store, rows, book)
        else:
            _rebuild(store, rows, book)


def _chosen(store: Store, names: tuple[str, ...], trial: str | None) -> list[SessionRow]:
    from recorder.clock import SystemClock
    from recorder.derive import derivable
    from recorder.recording import find_session

    rows = {row.id: row for row in derivable(store, SystemClock().wall_ns())}
    if names:
        named = dict.fromkeys(find_session(store, name).id for name in names)
        if missing := [each for each in named if each not in rows]:
            raise RecorderError(
                f"session {missing[0]} has no read models: it is still being recorded, or of a"
                " provider that this program does not know"
            )
        return [rows[each] for each in named]
    if trial is not None and trial not in {row.trial for row in store.sessions()}:
        raise RecorderError(f"no trial {trial!r}: `record sessions` lists those of the store")
    return [row for row in rows.values() if trial in (None, row.trial)]


def _rebuild(store: Store, rows: list[SessionRow], book: PriceBook) -> None:
    from recorder.derive import refresh

    failed = 0
    for row in progress(rows, "sessions"):
        try:
            refresh(store, [row], book)
        except RecorderError as error:  # a damaged tape; the others are made all the same
            failed += 1
            click.echo(f"{row.id}: {error}", err=True)
    if failed:
        raise RecorderError(f"{failed} of {_count(len(rows))} could not be rebuilt, see above")
    click.echo(f"rebuilt {_count(len(rows))} (prices: {book.label})")


def _check(store: Store, rows: list[SessionRow], book: PriceBook) -> None:
    from recorder.derive import differences

    changed = 0
    for row in progress(rows, "sessions"):
        found = differences(store, row, book)
        changed += bool(found)
        for table, (gone, new) in found.items():
            click.echo(f"{row.id}  {table}: {gone} rows would go, {new} would come")
    if changed:
        raise CheckFailed(f"the read models of {changed} of {_count(len(rows))} would change")
    click.echo(f"the read models of {_count(len(rows))} would stay as they are")


def _count(number: int) -> str:
    return f"{number} session{'' if number == 1 else 's'}"
