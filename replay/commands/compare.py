"""`replay compare`: the providers of a trial, paired by scenario."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from recorder.commands.common import (
    json_option,
    open_for_reading,
    paint,
    screen_width,
    store_option,
)
from recorder.commands.derived import derived_first

if TYPE_CHECKING:
    from recorder.comparison.result import Comparison
    from recorder.trial.scenario import Scenario


@click.command()
@click.argument("trial", metavar="TRIAL")
@store_option
@click.option(
    "--criteria",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="What to judge by, and the margins (TOML); the default is what comes along.",
)
@click.option(
    "--baseline",
    metavar="PROVIDER",
    help="What the others are compared with, in place of what the criteria name.",
)
@click.option(
    "--scenario",
    "scenarios",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE",
    help="A scenario that is not on the tapes, as of a trial with --redact-pii.",
)
@json_option
def command(
    trial: str,
    store_url: str,
    criteria: Path | None,
    baseline: str | None,
    scenarios: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Compare the providers of TRIAL by declared criteria (docs/compare.md).

    The scenario is the unit; each criterion has a margin and gets a verdict: better, worse,
    equivalent, inconclusive with the number of runs needed, or not estimable. --json has the query
    in SQL behind each number.

    Example: replay compare switch --criteria criteria.toml
    """
    from recorder.comparison.documents import as_json as document
    from recorder.comparison.text import lines

    found = compared(store_url, trial, criteria, baseline, scenarios)
    if as_json:
        click.echo(json.dumps(document(found), ensure_ascii=False))
        return
    for line in lines(found, paint, screen_width()):
        click.echo(line)


def compared(
    store_url: str,
    trial: str,
    criteria: Path | None = None,
    baseline: str | None = None,
    scenarios: Iterable[Path] = (),
) -> Comparison:
    """A trial of a store compared; RecorderError if it cannot be."""
    from recorder.comparison.comparing import compare
    from recorder.comparison.criteria import load_criteria, shipped
    from recorder.comparison.declaring import declared
    from recorder.comparison.gather import gather
    from replay.commands.judging import Judging

    by = load_criteria(criteria) if criteria else shipped()
    modified_ns = criteria.stat().st_mtime_ns if criteria else None
    given = _given(scenarios)
    open_for_reading(store_url).close()  # tells what is wrong with it
    derived_first(store_url)
    with closing(open_for_reading(store_url)) as store:
        evidence = gather(store, trial, Judging(store, given))
    return compare(evidence, by, declared(by, evidence, modified_ns), baseline)


def _given(files: Iterable[Path]) -> dict[str, Scenario]:
    from recorder.trial.loading import load

    return {scenario.sha256: scenario for scenario in load(files).values()}
