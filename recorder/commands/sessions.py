"""`record sessions`: list what the store holds."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

from recorder.commands.common import json_option, open_for_reading, screen_width, store_option

if TYPE_CHECKING:
    from recorder.store.base import SessionRow


@click.command()
@store_option
@click.option("--trial", metavar="NAME", help="Only the sessions of this trial.")
@json_option
def command(store_url: str, trial: str | None, as_json: bool) -> None:
    """List the recorded sessions, the oldest first.

    Example: record sessions --trial first-try
    """
    from recorder.clock import SystemClock
    from recorder.recording import current

    with closing(open_for_reading(store_url)) as store:
        wanted = [row for row in store.sessions() if trial in (None, row.trial)]
        rows = current(store, wanted, SystemClock().wall_ns())
    if as_json:
        click.echo(_json(rows))
    elif rows:
        _print(rows)
    elif trial is None:
        click.echo("no sessions yet: record one with `record proxy --trial NAME`")
    else:
        click.echo(f"no sessions of trial {trial!r}: `record sessions` lists all")


def _json(rows: list[SessionRow]) -> str:
    """A JSON list, one session a line."""
    if not rows:
        return "[]"
    return "[\n" + ",\n".join(json.dumps(_facts(row)) for row in rows) + "\n]"


def _facts(row: SessionRow) -> dict[str, Any]:
    from recorder.report.wording import utc

    return {
        "id": row.id,
        "trial": row.trial,
        "provider": row.provider,
        "external_id": row.external_id,
        "model": row.model,
        "status": row.status,
        "events": row.events,
        "started_at": utc(row.wall_ns),
        "duration_s": None if row.ended_ns is None else round(row.ended_ns / 1e9, 3),
        "parent": row.parent,
        "origin": row.origin,
    }


def _print(rows: list[SessionRow]) -> None:
    from recorder.report.tables import Column, table
    from recorder.report.wording import printable, seconds, utc

    columns = (
        Column("SESSION"),
        Column("STARTED (UTC)"),
        Column("DURATION", right=True),
        Column("EVENTS", right=True),
        Column("STATUS"),
        Column("TRIAL", 8),
        Column("MODEL", 8),
        Column("PROVIDER", 6),
        Column("ORIGIN", 6),
    )
    cells = [
        (
            row.id,
            utc(row.wall_ns)[:16].replace("T", " "),
            "" if row.ended_ns is None else seconds(row.ended_ns),
            str(row.events),
            row.status,
            printable(row.trial),
            printable(row.model or ""),
            row.provider,
            row.origin,
        )
        for row in rows
    ]
    for line in table(columns, cells, screen_width()):
        click.echo(line)
