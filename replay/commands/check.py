"""`replay check`: assertions over a tape."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from recorder.commands.common import (
    json_option,
    open_for_reading,
    paint,
    session_argument,
    store_option,
)
from recorder.errors import RecorderError
from replay.commands.files import read_text
from replay.commands.results import junit_option, write_junit

if TYPE_CHECKING:
    from recorder.pricing import PriceBook
    from recorder.store.base import SessionRow, Store
    from replay.checks import Named, Tape
    from replay.checks.expectations import Heard
    from replay.checks.occurrences import Occurrence


@click.command()
@session_argument
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@store_option
@click.option(
    "--prices",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="A price book of your own, for cost_usd; the default is the one that comes along.",
)
@click.option(
    "--allow-inconclusive", is_flag=True, help="Checks that lack evidence do not fail the command."
)
@click.option(
    "--list", "only_list", is_flag=True, help="Name the checks of FILE, and look at no session."
)
@junit_option
@json_option
def command(
    session: str,
    file: Path,
    store_url: str,
    prices: Path | None,
    allow_inconclusive: bool,
    only_list: bool,
    junit: Path | None,
    as_json: bool,
) -> None:
    """Judge SESSION by the assertions in FILE (TOML; docs/checks.md has all kinds), or by what a
    scenario expects.

    Exit code 1 if one fails, or cannot be judged by what is on the tape.

    Example: replay check last checks.toml
    """
    from recorder.recording import find_session
    from recorder.trial.scenario import is_scenario
    from replay.checks import run
    from replay.checks.text import cases, lines, summary

    text = read_text(file, str(file), "give a file of checks")
    checks = _checks(text, file.name)
    if only_list:
        for check in checks:
            click.echo(check.name)
        return
    with closing(open_for_reading(store_url)) as store:
        row = find_session(store, session)
        tape = _tape(store, row, checks, prices)
        if is_scenario(text):
            checks = _checks(text, file.name, _turns(store, row, tape))
        results = list(run(checks, tape))
    if junit is not None:
        write_junit(junit, file.stem, cases(results, row.id))
    if as_json:
        found = [each.as_json() for each in results]
        click.echo(json.dumps({"session": row.id, "checks": found}, ensure_ascii=False))
    else:
        for line in lines(results, paint):
            click.echo(line)
        click.echo(summary(results))
    found_out = {each.verdict.outcome for each in results}
    failing = {"fail"} if allow_inconclusive else {"fail", "inconclusive"}
    is_judged = bool(found_out & {"pass", "fail"})
    if not is_judged:
        click.echo("no check was judged, so that nothing is known to hold", err=True)
    sys.exit(1 if not is_judged or found_out & failing else 0)


def _checks(text: str, name: str, turns: Heard | None = None) -> list[Named]:
    """The checks of a file: one of checks, or a scenario, whose `turns` are found on its tape."""
    from recorder.trial.scenario import is_scenario, read_scenario
    from replay.checks import parse
    from replay.checks.expectations import expectations

    if not is_scenario(text):
        return parse(text, name)
    return expectations(read_scenario(text, name), turns or {})


def _turns(store: Store, row: SessionRow, tape: Tape) -> Heard:
    from recorder.trial.record import read_notes
    from replay.checks.expectations import Mark, heard

    kept = read_notes(store, row)
    if kept is None:
        raise RecorderError(f"session {row.id} is no run of a trial: its turns are not marked")
    marks = [Mark(each["turn"], each["seq"], each["mode"]) for each in kept.turns]
    return heard(marks, tape.models.turns)


def _tape(store: Store, row: SessionRow, checks: Sequence[Named], prices: Path | None) -> Tape:
    from recorder.derive import seen
    from recorder.measuring import measured
    from recorder.providers import provider
    from replay.checks import read_tape
    from replay.checks.tape import REPLAYED

    needed = any(one.kind in ("metric", "yields_within_ms") for one in checks)
    measure = partial(measured, store, row) if needed else None
    found = provider(row.provider)
    tape = read_tape(seen(store, row.id), found, _book(row, prices), measure)
    return replace(tape, untimed=REPLAYED) if _is_served(store, row, tape) else tape


def _is_served(store: Store, row: SessionRow, tape: Tape) -> bool:
    """Whether a replay's provider was played from its parent, at a pace of its own, and not one
    that the tape's client was played to (`replay run`): most of what it said is on the parent."""
    from recorder.derive import seen
    from replay.checks.occurrences import Occurrences

    if row.origin != "replay" or row.parent is None:
        return False
    parent = Occurrences()
    for event, *_ in seen(store, row.parent):
        parent.take(event)
    said = _said(tape.events)
    return 2 * len(said & _said(parent.all())) > len(said)


def _said(events: Iterable[Occurrence]) -> set[bytes]:
    return {each.text for each in events if each.sender == "provider" and each.text}


def _book(row: SessionRow, prices: Path | None) -> PriceBook:
    """The prices of the day of the recording."""
    from recorder.pricing import PriceBook

    book = PriceBook.load(prices) if prices else PriceBook.shipped()
    return book.then(row.wall_ns)
