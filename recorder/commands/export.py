"""`record export`: write a session as a folder for git, or the store as Parquet."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from recorder.commands.common import open_for_reading, store_option
from recorder.commands.derived import derived_first
from recorder.counting import counted


@click.command()
@store_option
@click.option(
    "--parquet",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write all tables and views of the store as DIR/NAME.parquet, instead of a session.",
)
@click.argument("session", metavar="SESSION", required=False)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path), required=False)
def command(store_url: str, parquet: Path | None, session: str | None, folder: Path | None) -> None:
    """Write a session as a folder for git: session.json, events.jsonl, audio/.

    SESSION is an id, a unique prefix of one, or last, last~1, … The same session always gives the
    same bytes, and `record import DIR` gives the same session. DIR may hold an earlier export of
    it, which is replaced.

    Example: record export last tapes/first-call
    """
    if parquet is not None:
        if session is not None:
            raise click.UsageError("--parquet writes the whole store: leave SESSION out")
        _parquet(store_url, parquet)
        return
    if session is None or folder is None:
        raise click.UsageError("name SESSION and DIR, or --parquet DIR")
    _folder(store_url, session, folder)


def _folder(store_url: str, session: str, folder: Path) -> None:
    from recorder.clock import SystemClock
    from recorder.export import export_session
    from recorder.recording import find_session

    with closing(open_for_reading(store_url)) as store:
        row = find_session(store, session)
        done = export_session(store, row, folder, SystemClock().wall_ns())
    click.echo(
        f"exported {row.id} to {folder}: {counted(done.events, 'event')}, "
        f"{counted(done.segments, 'audio segment')}, {done.bytes / 1000:.1f} kB"
    )


def _parquet(store_url: str, folder: Path) -> None:
    from recorder.parquet import export_parquet

    derived_first(store_url)
    files = export_parquet(store_url, folder)
    size = sum(each.bytes for each in files)
    click.echo(f"wrote {counted(len(files), 'file')} to {folder}: {size / 1000:.1f} kB")
