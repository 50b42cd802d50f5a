"""`replay diff`: what two tapes differ in."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from recorder.commands.common import (
    json_option,
    open_for_reading,
    paint,
    screen_width,
    store_option,
)
from recorder.errors import RecorderError
from replay.commands.matching import matching_options
from replay.commands.results import junit_option, write_junit

if TYPE_CHECKING:
    from recorder.store.base import SessionRow, Store
    from replay.diff import Diff, Grade
    from replay.match.hearing import AudioMode
    from replay.match.rules import Rule


@click.command()
@click.argument("a", metavar="A")
@click.argument("b", metavar="[B]", required=False)
@store_option
@matching_options
@click.option(
    "--timing-ms",
    type=click.FloatRange(min=0),
    metavar="MS",
    help="Tell gaps between messages that differ by more than this; by default none.",
)
@click.option(
    "--fail-on",
    type=click.Choice(("low", "medium", "high")),
    default="low",
    show_default=True,
    help="The lowest grade of a difference that makes the exit code 1.",
)
@click.option(
    "--suggest", is_flag=True, help="Print the rules that accept the differences, each once."
)
@junit_option
@json_option
def command(
    a: str,
    b: str | None,
    store_url: str,
    rules: Sequence[Rule],
    rule: Sequence[Rule],
    audio: AudioMode,
    timing_ms: float | None,
    fail_on: Grade,
    suggest: bool,
    junit: Path | None,
    as_json: bool,
) -> None:
    """Print in what tape B differs from tape A.

    Without B, A is a replay, and is compared with the tape it was made from. Ids, times and other
    volatile values are left out, streams are joined (docs/diff.md). Exit code 1 if they differ.

    Example: replay diff last~1 last
    """
    from replay.diff.documents import cases

    with closing(open_for_reading(store_url)) as store:
        rows = _rows(store, a, b)
        found = _diff(store, rows, (*rules, *rule), timing_ms, audio)
    if junit is not None:
        write_junit(junit, "replay diff", cases(found, rows[1].id, fail_on))
    _print(found, rows, suggest, as_json)
    sys.exit(1 if found.at_least(fail_on) else 0)


def _rows(store: Store, a: str, b: str | None) -> tuple[SessionRow, SessionRow]:
    from recorder.recording import find_session

    one = find_session(store, a)
    if b is not None:
        other = find_session(store, b)
    else:
        if one.parent is None:
            raise RecorderError(f"{one.id} is not a replay: name the tape to compare it with")
        one, other = find_session(store, one.parent), one
    if one.provider != other.provider:
        raise RecorderError(
            f"A is a conversation with {one.provider}, B with {other.provider}: tapes are "
            "compared message by message, which takes one provider; give two tapes of the same"
        )
    return one, other


def _diff(
    store: Store,
    rows: tuple[SessionRow, SessionRow],
    rules: Sequence[Rule],
    timing_ms: float | None,
    audio: AudioMode,
) -> Diff:
    from recorder.providers import provider
    from recorder.recording import Recording
    from replay.diff import diff, read

    found = provider(rows[0].provider)
    a, b = (read(Recording(store, row.id).moments(), found, row.external_id) for row in rows)
    return diff(a, b, found, rules, timing_ms, audio)


def _print(found: Diff, rows: tuple[SessionRow, SessionRow], suggest: bool, as_json: bool) -> None:
    from replay.diff.documents import as_json as document
    from replay.diff.text import lines, summary

    if as_json:
        sides = {"a": _facts(rows[0]), "b": _facts(rows[1])}
        click.echo(json.dumps({**sides, **document(found)}, ensure_ascii=False))
        return
    for name, row in zip("AB", rows, strict=True):
        facts = (f"{row.id}", row.provider, row.model or "", f"trial {row.trial}", row.origin)
        click.echo(f"{name}  " + ", ".join(fact for fact in facts if fact))
    click.echo()
    for line in lines(found, paint, screen_width(), rules=suggest):
        click.echo(line)
    for rule in found.unused:
        click.echo(f"this rule held nowhere: {rule}", err=True)
    click.echo(summary(found))


def _facts(row: SessionRow) -> dict[str, Any]:
    return {"session": row.id, "provider": row.provider, "model": row.model, "trial": row.trial}
