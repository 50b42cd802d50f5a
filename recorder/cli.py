"""The `record` command: wiring only."""

from __future__ import annotations

import click

from recorder.commands.common import LazyGroup, run

_COMMANDS = {
    "proxy": (
        "recorder.commands.proxy",
        "Record what passes between an application and a provider.",
    ),
    "trial": ("recorder.commands.trial", "Run scenarios at several providers, and record them."),
    "sessions": ("recorder.commands.sessions", "List the recorded sessions."),
    "show": ("recorder.commands.show", "Show a session as a timeline."),
    "verify": ("recorder.commands.verify", "Prove that nothing was lost, changed or reordered."),
    "audio": ("recorder.commands.audio", "Write a session's audio as a stereo WAV."),
    "report": ("recorder.commands.report", "Write a session as a page for a browser."),
    "export": ("recorder.commands.export", "Write a session as a folder for git."),
    "import": ("recorder.commands.import_", "Read an export, or somebody else's recording."),
    "pull": ("recorder.commands.pull", "Fetch what a provider knows of its calls."),
    "estimate": ("recorder.commands.estimate", "What sessions cost, and what others would."),
    "features": ("recorder.commands.features", "Tell what providers can do, with evidence."),
    "decide": ("recorder.commands.decide", "Write the comparison of a trial as a document."),
    "rebuild": ("recorder.commands.rebuild", "Make what is derived from the tapes anew."),
    "sql": ("recorder.commands.sql", "Ask the store a question."),
    "db": ("recorder.commands.db", "Look after the store's file."),
}


@click.group("record", cls=LazyGroup, lazy=_COMMANDS)
@click.version_option(package_name="conversation-recorder", prog_name="record")
def cli() -> None:
    """Record voice-AI conversations without losing a byte, and read the tapes.

    Example: record proxy --trial first-try
    """


def main() -> None:
    """Entry point of the console command."""
    run(cli, "record")
