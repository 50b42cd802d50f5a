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
from recorder.counting import counted

if TYPE_CHECKING:
    from recorder.comparison.evidence import Evidence
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
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the comparison as one HTML page, too.",
)
@json_option
def command(
    trial: str,
    store_url: str,
    criteria: Path | None,
    baseline: str | None,
    scenarios: tuple[Path, ...],
    output: Path | None,
    as_json: bool,
) -> None:
    """Compare the providers of TRIAL by declared criteria (docs/compare.md).

    The scenario is the unit; each criterion has a margin and gets a verdict: better, worse,
    equivalent, inconclusive with the number of runs needed, or not estimable. --json has the query
    in SQL behind each number. -o writes a page that needs no network and no other file, with plots,
    and with the sound of the same turns of each provider.

    Example: replay compare switch --criteria criteria.toml -o compare.html
    """
    from recorder.comparison.documents import as_json as document
    from recorder.comparison.text import lines

    found, evidence = compared(store_url, trial, criteria, baseline, scenarios)
    if output is not None:
        _write(output, store_url, found, evidence)
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
) -> tuple[Comparison, Evidence]:
    """A trial of a store compared, and what that rests on; RecorderError if it cannot be."""
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
    return compare(evidence, by, declared(by, evidence, modified_ns), baseline), evidence


def _write(output: Path, store_url: str, found: Comparison, evidence: Evidence) -> None:
    """The page of a comparison."""
    from recorder.comparison.page import render
    from recorder.comparison.page.gather import gather
    from recorder.errors import RecorderError

    with closing(open_for_reading(store_url)) as store:
        gathered = gather(store, found, evidence)
    page = render(gathered.facts, gathered.sounds)
    try:
        output.write_text(page, encoding="utf-8")
    except OSError as error:
        raise RecorderError(f"cannot write {output}: {error.strerror or error}") from error
    turns, left = len(gathered.facts["turns"]), len(gathered.facts["left_out"])
    shown = f"{counted(turns, 'turn')} side by side, {left} left out"
    click.echo(f"{output}: {shown}, {len(page) / 1e6:.1f} MB", err=True)


def _given(files: Iterable[Path]) -> dict[str, Scenario]:
    from recorder.trial.loading import load

    return {scenario.sha256: scenario for scenario in load(files).values()}
