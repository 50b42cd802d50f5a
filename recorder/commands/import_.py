"""`record import`: read an export, or somebody else's recording."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import click

from recorder.commands.common import open_for_writing, redact_pii_option, store_option
from recorder.commands.derived import keep_derived
from recorder.counting import counted
from recorder.errors import RecorderError

_FORMATS = ("frames", "har", "cassette")  # as in `FORMATS`, which `--help` does not load


@click.command("import")
@store_option
@click.argument("path", metavar="DIR|FILE", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "format_",
    type=click.Choice(_FORMATS),
    help="What FILE is, if its content does not tell.",
)
@click.option("--provider", default="openai", show_default=True, help="Whose conversation it is.")
@click.option("--trial", metavar="NAME", help="Name the sessions belong to.  [default: imported]")
@redact_pii_option
def command(
    store_url: str,
    path: Path,
    format_: str | None,
    provider: str,
    trial: str | None,
    redact_pii: bool,
) -> None:
    """Read a folder made by `record export`, or somebody else's recording in a file.

    A folder comes back as the same session, proved to be unchanged. A file becomes new sessions:
    JSON lines of frames, a HAR with WebSocket messages, or a cassette of HTTP exchanges.
    Everything of it is stored or nothing.

    Example: record import --trial others call.har
    """
    if path.is_dir():
        if format_ or trial:
            raise RecorderError(
                f"{path} is an exported session and keeps its own trial and format: "
                "leave --format and --trial out"
            )
        if redact_pii:
            raise RecorderError(
                f"{path} is an exported session and comes back unchanged: leave --redact-pii out, "
                "or record with it"
            )
        _folder(store_url, path)
    else:
        _file(store_url, path, format_, provider, trial or "imported", redact_pii)


def _folder(store_url: str, path: Path) -> None:
    from recorder.capture.importers.folder import read_document, take_in_folder
    from recorder.capture.secrets import store_secrets
    from recorder.clock import SystemClock

    tape = read_document(path)
    with closing(open_for_writing(store_url)) as store:
        secrets = store_secrets(store, os.environ)
        row, fresh = take_in_folder(store, SystemClock(), secrets, path, tape)
        keep_derived(store)
    if fresh:
        click.echo(f"imported {row.id}: {counted(row.events or 0, 'event')}")
    else:
        click.echo(f"{row.id} is in the store already")


def _file(
    store_url: str, path: Path, format_: str | None, provider: str, trial: str, redact_pii: bool
) -> None:
    from recorder.capture.importers import FORMATS
    from recorder.capture.importers.intake import take_in
    from recorder.capture.importers.source import detect, open_source
    from recorder.capture.secrets import store_secrets
    from recorder.clock import SystemClock
    from recorder.providers import provider as provider_called

    whose = provider_called(provider)
    source = open_source(path)
    conversations = FORMATS[format_ or detect(source)].read(source, whose)
    with closing(open_for_writing(store_url)) as store:
        secrets = store_secrets(store, os.environ, personal=redact_pii)
        rows = take_in(store, SystemClock(), secrets, whose, trial, conversations)
        keep_derived(store)
    for row, conversation in zip(rows, conversations, strict=True):
        remark = "" if conversation.timed else " (no times in the file)"
        click.echo(f"imported {row.id}: {counted(row.events or 0, 'event')}{remark}")
