"""`record rebuild`: make what is derived from the tapes anew."""

from __future__ import annotations

from collections.abc import Callable
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
from recorder.counting import counted
from recorder.errors import CheckFailed, RecorderError

if TYPE_CHECKING:
    from recorder.pricing import PriceBook
    from recorder.store.base import SessionRow, Store

    Priced = Callable[[SessionRow], PriceBook]


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
    help="Prices of this day, such as 2026-11-01.  [default: of each session's own day]",
)
@click.option(
    "--check", is_flag=True, help="Change nothing; exit code 1 if something would change."
)
@click.option("--strict", is_flag=True, help="Exit code 1 where something has no price.")
def command(
    store_url: str,
    sessions: tuple[str, ...],
    trial: str | None,
    prices: datetime | None,
    check: bool,
    strict: bool,
) -> None:
    """Make the read models of sessions anew from their tapes: turns, transcripts, tool calls,
    metrics, costs. They come out the same, unless the program or the prices have changed.

    Example: record rebuild --check
    """
    from recorder.pricing import PriceBook

    if sessions and trial:
        raise click.UsageError("name sessions or a trial, not both")
    if check and strict:
        raise click.UsageError("--check makes no bills that --strict could judge")
    book = PriceBook.shipped(prices.date() if prices else None)

    def priced(row: SessionRow) -> PriceBook:
        return book if prices else book.then(row.wall_ns)

    opened = open_for_reading(store_url) if check else open_for_writing(store_url, create=False)
    with closing(opened) as store:
        rows = _chosen(store, sessions, trial)
        if check:
            _check(store, rows, priced)
            return
        _rebuild(store, rows, priced)
        whose = "its" if len(rows) == 1 else "each one's"
        days = "" if prices else f", of {whose} day"
        click.echo(f"rebuilt {counted(len(rows), 'session')} (prices: {book.label}{days})")
        _warn_unpriced(store, rows, strict)


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


def _rebuild(store: Store, rows: list[SessionRow], priced: Priced) -> None:
    from recorder.derive import refresh

    failed = 0
    for row in progress(rows, "sessions"):
        try:
            refresh(store, [row], priced(row))
        except RecorderError as error:  # a damaged tape; the others are made all the same
            failed += 1
            click.echo(f"{row.id}: {error}", err=True)
    if failed:
        raise RecorderError(
            f"{failed} of {counted(len(rows), 'session')} could not be rebuilt, see above"
        )


def _warn_unpriced(store: Store, rows: list[SessionRow], strict: bool) -> None:
    """Tell which models have no price, in one line; CheckFailed if that is not allowed."""
    lines = [line for row in rows for line in store.models("cost_line", row.id)]
    unknown = [
        line.model or f"{line.component} of unknown name" for line in lines if line.usd is None
    ]
    if not unknown:
        return
    many = counted(len(unknown), "line has", "lines have")
    told = f"{many} no price: {', '.join(sorted(set(unknown)))}; `record estimate` tells more"
    if strict:
        raise CheckFailed(told)
    click.echo(f"record: {told}", err=True)


def _check(store: Store, rows: list[SessionRow], priced: Priced) -> None:
    from recorder.derive import differences

    changed = 0
    for row in progress(rows, "sessions"):
        found = differences(store, row, priced(row))
        changed += bool(found)
        for table, (gone, new) in found.items():
            click.echo(f"{row.id}  {table}: {counted(gone, 'row')} would go, {new} would come")
    if changed:
        raise CheckFailed(
            f"the read models of {changed} of {counted(len(rows), 'session')} would change"
        )
    click.echo(f"the read models of {counted(len(rows), 'session')} would stay as they are")
