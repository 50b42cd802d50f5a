"""`replay check`: assertions over a tape."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
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
from replay.commands.results import junit_option, write_junit

if TYPE_CHECKING:
    from recorder.pricing import PriceBook
    from recorder.store.base import SessionRow, Store
    from replay.checks import Named, Tape


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
@junit_option
@json_option
def command(
    session: str,
    file: Path,
    store_url: str,
    prices: Path | None,
    allow_inconclusive: bool,
    junit: Path | None,
    as_json: bool,
) -> None:
    """Judge SESSION by the assertions in FILE (TOML; docs/checks.md has all kinds).

    Exit code 1 if one fails, or cannot be judged by what is on the tape.

    Example: replay check last checks.toml
    """
    from recorder.recording import find_session
    from replay.checks import parse, run
    from replay.checks.text import cases, lines, summary

    checks = parse(_text(file), file.name)
    with closing(open_for_reading(store_url)) as store:
        row = find_session(store, session)
        results = list(run(checks, _tape(store, row, checks, prices)))
    if junit is not None:
        write_junit(junit, file.stem, cases(results, row.id))
    if as_json:
        found = [each.as_json() for each in results]
        click.echo(json.dumps({"session": row.id, "checks": found}, ensure_ascii=False))
    else:
        for line in lines(results, paint):
            click.echo(line)
        click.echo(summary(results))
    failing = {"fail"} if allow_inconclusive else {"fail", "inconclusive"}
    sys.exit(1 if any(each.verdict.outcome in failing for each in results) else 0)


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RecorderError(f"{file} cannot be read ({error}): give a file of checks") from None


def _tape(store: Store, row: SessionRow, checks: Sequence[Named], prices: Path | None) -> Tape:
    from recorder.derive import seen
    from recorder.measuring import measured
    from recorder.providers import provider
    from replay.checks import read_tape

    measure = partial(measured, store, row) if any(one.kind == "metric" for one in checks) else None
    found = provider(row.provider)
    return read_tape(seen(store, row.id), found, _book(row, prices), measure)


def _book(row: SessionRow, prices: Path | None) -> PriceBook:
    """The prices of the day of the recording."""
    from recorder.pricing import PriceBook

    day = datetime.fromtimestamp(row.wall_ns / 1e9, UTC).date()
    return PriceBook.load(prices, day) if prices else PriceBook.shipped(day)
