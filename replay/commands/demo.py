"""`replay demo`: record, verify, show and replay a simulated conversation."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("demo"),
    show_default=True,
    envvar="REPLAY_DEMO_FOLDER",
    help="Where the store and the audio go; a second run adds a session.",
)
def command(folder: Path) -> None:
    """Record, verify, show and replay a simulated conversation; no key, no network.

    Example: replay demo
    """
    from recorder.clock import SystemClock
    from replay.demo import Demo

    Demo(folder, SystemClock(), click.echo).run()
