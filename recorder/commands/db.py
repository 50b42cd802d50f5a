"""`record db`: look after the store's file."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from recorder.commands.common import json_option, store_option
from recorder.counting import counted

if TYPE_CHECKING:
    from recorder.store.files import StoreInfo


@click.group()
def command() -> None:
    """Look after the store's file.

    Example: record db info
    """


@command.command()
@store_option
def path(store_url: str) -> None:
    """Print where the store is, or would be.

    Example: record db path
    """
    from recorder.store.keeping import where

    click.echo(where(store_url))


@command.command()
@store_option
@json_option
def info(store_url: str, as_json: bool) -> None:
    """Say how large the store is and what is in it. Sizes are in bytes.

    Example: record db info --json
    """
    from recorder.store.keeping import info as measure

    found = measure(store_url)
    if as_json:
        click.echo(json.dumps(asdict(found), indent=1))
        return
    for name, text in _facts(found):
        click.echo(f"{name:<10} {text}")


def _facts(found: StoreInfo) -> list[tuple[str, str]]:
    saved = ""
    if found.audio_wire:
        saved = (
            f" for {found.audio_wire:,} on the wire ({found.audio_sealed / found.audio_wire:.0%})"
        )
    return [
        ("file", found.path),
        ("schema", found.revision),
        ("size", f"{found.size:,} bytes, and {found.wal_size:,} not yet copied in (WAL)"),
        ("free", f"{found.free_pages * found.page_size:,} bytes"),
        ("sessions", f"{found.sessions:,}"),
        ("events", f"{found.events:,}"),
        (
            "audio",
            f"{counted(found.segments, 'segment', form=',')}, {found.open_segments:,} of them open",
        ),
        ("sealed", f"{found.audio_sealed:,} bytes{saved}"),
        ("open", f"{found.audio_raw:,} bytes"),
    ]


@command.command()
@store_option
def upgrade(store_url: str) -> None:
    """Bring an older store to this program's schema; of a file a copy is kept beside it.

    Example: record db upgrade
    """
    from recorder.store.keeping import upgrade as bring_up

    done = bring_up(store_url)
    if done.old == done.new:
        click.echo(f"nothing to do: the schema is {done.new}")
    elif done.backup is None:
        click.echo(f"upgraded from {done.old} to {done.new}")
    else:
        click.echo(f"upgraded from {done.old} to {done.new}; the old file is kept as {done.backup}")


@command.command()
@store_option
def datasette(store_url: str) -> None:
    """Print a metadata file for Datasette: what columns mean, and the named queries.

    Example: record db datasette > metadata.json
    """
    from recorder.store.datasette import metadata
    from recorder.store.sqlite import sqlite_path

    name = sqlite_path(store_url).stem  # what Datasette calls the database
    click.echo(json.dumps(metadata(name), indent=1, ensure_ascii=False))


@command.command()
@store_option
@click.argument("dest", type=click.Path(path_type=Path, dir_okay=False))
def backup(store_url: str, dest: Path) -> None:
    """Copy the store to the new file DEST, also while others write to it.

    Example: record db backup before-the-trial.db
    """
    from recorder.store.keeping import backup as copy

    copy(store_url, dest)
    click.echo(f"copied to {dest}")
