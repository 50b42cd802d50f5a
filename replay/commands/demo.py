"""`replay demo`: a simulated conversation recorded and replayed, then a trial of two providers."""

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
    help="Where tapes and pages go; a second run adds its sessions.",
)
def command(folder: Path) -> None:
    """Record, verify, show and replay a simulated conversation; then hold a trial of two scenarios
    at two simulated providers, compare them and write the decision. No key, no network.

    Example: replay demo
    """
    from recorder.clock import SystemClock
    from replay.demo.demo import Demo

    Demo(folder, SystemClock(), click.echo).run()
