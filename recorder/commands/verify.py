"""`record verify`: prove that tapes hold what was recorded."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

from recorder.commands.common import json_option, open_for_reading, paint, store_option
from recorder.counting import counted
from recorder.errors import CheckFailed

if TYPE_CHECKING:
    from recorder.store.base import SessionRow, Store
    from recorder.verify import Verdict


@click.command()
@store_option
@click.argument("sessions", nargs=-1, metavar="[SESSION]...")
@click.option("--all", "every", is_flag=True, help="All sessions (so it is if none is named).")
@json_option
def command(store_url: str, sessions: tuple[str, ...], every: bool, as_json: bool) -> None:
    """Prove that nothing was lost, changed, added or reordered, and that all audio decodes to
    what was on the wire. Exit code 1 if a tape fails.

    Example: record verify last
    """
    from recorder.verify import verify

    if sessions and every:
        raise click.UsageError("name sessions or say --all, not both")
    with closing(open_for_reading(store_url)) as store:
        verdicts = []
        for row in _chosen(store, sessions):
            verdicts.append(verify(store, row))
            if not as_json:
                click.echo(_line(verdicts[-1]))
    if as_json:
        click.echo(json.dumps([_facts(verdict) for verdict in verdicts], indent=1))
    elif not verdicts:
        click.echo("no sessions yet: record one with `record proxy --trial NAME`")
    failed = sum(verdict.fault is not None for verdict in verdicts)
    if failed:
        raise CheckFailed(f"{failed} of {counted(len(verdicts), 'session')} failed")


def _chosen(store: Store, names: tuple[str, ...]) -> list[SessionRow]:
    from recorder.clock import SystemClock
    from recorder.recording import current, find_session

    rows = [find_session(store, name) for name in names] if names else store.sessions()
    return current(store, rows, SystemClock().wall_ns())


def _line(verdict: Verdict) -> str:
    row = verdict.row
    if verdict.fault:
        return f"{paint('FAILED', fg='red', bold=True)}  {row.id}  {verdict.fault.text}"
    state = {
        "complete": paint("ok", fg="green"),
        "recording": paint("recording, intact so far", fg="yellow"),
        "interrupted": paint("interrupted, intact", fg="yellow"),
        "incomplete": paint("incomplete (see its note of a hole), intact", fg="yellow"),
    }[row.status]
    size = f"{counted(verdict.events, 'event')}, {verdict.audio_s:.1f} s audio"
    return f"{state}  {row.id}  {size}, {verdict.digest.hex()[:16]}"


def _facts(verdict: Verdict) -> dict[str, Any]:
    return {
        "id": verdict.row.id,
        "status": verdict.row.status,
        "ok": verdict.fault is None,
        "events": verdict.events,
        "audio_s": round(verdict.audio_s, 3),
        "digest": verdict.digest.hex(),
        "fault": verdict.fault._asdict() if verdict.fault else None,
    }
