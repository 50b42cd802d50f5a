"""`record export`: write a session as a folder for git."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from recorder.commands.common import open_for_reading, session_argument, store_option


@click.command()
@store_option
@session_argument
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def command(store_url: str, session: str, folder: Path) -> None:
    """Write a session as a folder for git: session.json, events.jsonl, audio/.

    SESSION is an id, a unique prefix of one, or last, last~1, … The same session always gives the
    same bytes, and `record import DIR` gives the same session. DIR may hold an earlier export of
    it, which is replaced.

    Example: record export last tapes/first-call
    """
    from recorder.clock import SystemClock
    from recorder.export import export_session
    from recorder.recording import find_session

    with closing(open_for_reading(store_url)) as store:
        row = find_session(store, session)
        done = export_session(store, row, folder, SystemClock().wall_ns())
    click.echo(
        f"exported {row.id} to {folder}: {done.events} events, "
        f"{done.segments} audio segments, {done.bytes / 1000:.1f} kB"
    )
