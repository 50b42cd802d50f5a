"""`record report`: a session as one HTML page."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from recorder.commands.common import open_for_reading, session_argument, store_option
from recorder.counting import counted

if TYPE_CHECKING:
    from recorder.report.page import Audio
    from recorder.report.page.gather import Gathered
    from recorder.store.base import Store

_EMBEDDED_S = 300
"""A page carries as much sound itself; more lies beside it."""


@click.command()
@store_option
@session_argument
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The HTML file to write.",
)
def command(store_url: str, session: str, output: Path) -> None:
    """Write a session as one page for a browser: both sides as wave forms on one time axis, with
    playback; turns and their latency by every definition, tools, cost, transcript, errors, all
    events. Each number opens the events that it rests on, and the SQL that gives it.

    The page needs no network and no other file. Of a session longer than five minutes the sound is
    a FLAC file beside the page, of the same name.

    Example: record report last -o session.html
    """
    from recorder.commands.derived import derived_first
    from recorder.report.page import render

    derived_first(store_url)
    with closing(open_for_reading(store_url)) as store:
        gathered = _gathered(store, session)
    audio = _audio(gathered, output)
    _write(output, render(gathered.facts, audio).encode())
    click.echo(_summary(output, gathered.facts, audio))


def _gathered(store: Store, session: str) -> Gathered:
    from recorder.clock import SystemClock
    from recorder.recording import current, find_session
    from recorder.report.models import read_models
    from recorder.report.page.gather import gather

    row = find_session(store, session)
    models = read_models(store, row)
    return gather(store, current(store, [row], SystemClock().wall_ns())[0], models)


def _audio(gathered: Gathered, output: Path) -> Audio | None:
    """The sound as FLAC: in the page, or written beside it."""
    if gathered.frames is None:
        return None
    from recorder.audio.files import encode_flac
    from recorder.audio.pcm import to_bytes
    from recorder.report.page import Audio
    from recorder.report.page.lanes import RATE

    data = encode_flac(to_bytes(gathered.frames), RATE, 2)
    if len(gathered.frames) <= _EMBEDDED_S * RATE:
        return Audio("audio/flac", data)
    beside = output.with_suffix(".flac")
    _write(beside, data)
    return Audio("audio/flac", file=beside.name)


def _write(path: Path, data: bytes) -> None:
    from recorder.errors import RecorderError

    try:
        path.write_bytes(data)
    except OSError as error:
        raise RecorderError(f"cannot write {path}: {error.strerror or error}") from error


def _summary(output: Path, facts: dict[str, Any], audio: Audio | None) -> str:
    turns, events = len(facts["turns"]), facts["session"]["events"]
    sound = "no sound" if audio is None else "sound inside"
    if audio is not None and audio.file:
        sound = f"sound in {output.with_suffix('.flac')}"
    return f"{output}: {counted(turns, 'turn')}, {counted(events, 'event')}, {sound}"
