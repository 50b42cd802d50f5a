"""The `replay` command: wiring only."""

from __future__ import annotations

import click

from recorder.commands.common import LazyGroup, run

_COMMANDS = {
    "serve": ("replay.commands.serve", "Play the provider's side of a tape to an application."),
    "sweep": ("replay.commands.sweep", "Run an application once per tape, many tapes at a time."),
    "run": ("replay.commands.run", "Play the client's side of a tape to a provider."),
    "check": ("replay.commands.check", "Judge a tape by a file of assertions."),
    "diff": ("replay.commands.diff", "Print in what two tapes differ, turn by turn."),
    "compare": ("replay.commands.compare", "Compare the providers of a trial, with verdicts."),
    "simulate": ("replay.commands.simulate", "Run a seeded stand-in for a provider."),
    "digest": ("replay.commands.digest", "Print the canonical digest of a tape."),
    "demo": ("replay.commands.demo", "Record and replay a simulated conversation, then a trial."),
}


@click.group("replay", cls=LazyGroup, lazy=_COMMANDS)
@click.version_option(package_name="conversation-recorder", prog_name="replay")
def cli() -> None:
    """Play recorded conversations back to whoever holds the other side.

    Example: replay serve last --speed max
    """


def main() -> None:
    """Entry point of the console command."""
    run(cli, "replay")
