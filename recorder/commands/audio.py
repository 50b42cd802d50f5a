"""`record audio`: what was said and what was heard, as a stereo WAV."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from recorder.commands.common import open_for_reading, session_argument, store_option
from recorder.counting import counted
from recorder.errors import RecorderError


@click.command()
@store_option
@session_argument
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The WAV file to write.",
)
@click.option(
    "--rate",
    type=click.IntRange(4_000, 384_000),
    metavar="HZ",
    help="Sample rate; the highest of the session if not given.",
)
def command(store_url: str, session: str, output: Path, rate: int | None) -> None:
    """Write a session's audio as a stereo WAV on the recorded clock: the client left, the
    provider right.

    The right side is what a listener heard: a player without a buffer plays each piece when it
    arrives or when what came before it has been played, and an interruption drops the rest.

    Where nothing was streamed, but a recording was fetched as a file (`record pull`), that
    recording is written, with the channels that it has.

    Example: record audio last -o last.wav
    """
    from recorder.audio.files import write_wav
    from recorder.audio.pcm import to_bytes
    from recorder.providers import provider
    from recorder.recording import Recording, find_session
    from recorder.report.recordings import fetched_recording
    from recorder.report.sound import two_sides

    with closing(open_for_reading(store_url)) as store:
        tape = Recording(store, find_session(store, session).id)
        rates = {segment.rate for segment in tape.segments()}
        if not rates:
            raise RecorderError(f"session {tape.id} has no audio: `record show` tells what it has")
        hertz = rate or max(rates)
        frames = two_sides(tape.moments(), provider(tape.row.provider).listener(), hertz)
        filed = None if len(frames) else fetched_recording(tape, rate)
    if filed is not None:
        write_wav(output, to_bytes(filed.frames), filed.rate, filed.channels)
        seconds = len(filed.frames) / filed.rate
        sides = counted(filed.channels, "channel")
        click.echo(f"{output}: {seconds:.1f} s at {filed.rate} Hz, {sides} as fetched")
        return
    if not len(frames):
        raise RecorderError(
            f"session {tape.id} has audio, but none that was streamed from either side"
        )
    write_wav(output, to_bytes(frames), hertz, 2)
    click.echo(f"{output}: {len(frames) / hertz:.1f} s at {hertz} Hz, client left, provider right")
