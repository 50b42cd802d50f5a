"""`record decide`: a trial as a document on which a team can decide."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from shlex import join
from typing import TYPE_CHECKING, Any

import click

from recorder.commands.common import json_option, store_option
from recorder.errors import RecorderError

if TYPE_CHECKING:
    from recorder.comparison.result import Comparison
    from recorder.decision.material import Material, Wanted


def _amount(ctx: click.Context, param: click.Parameter, value: str | None) -> Decimal | None:
    if value is None:
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        number = Decimal(0)
    if not number.is_finite() or number <= 0:
        raise click.BadParameter(f"{value!r} is not a number above 0")
    return number


@click.command()
@store_option
@click.argument("trial", metavar="TRIAL")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, allow_dash=True),
    default=Path("decision.md"),
    show_default=True,
    metavar="PATH",
    help="Where to write it; - is standard output.",
)
@click.option(
    "--minutes",
    callback=_amount,
    default="10000",
    show_default=True,
    metavar="NUMBER",
    help="Minutes a month to project the cost to.",
)
@click.option(
    "--effort",
    callback=_amount,
    metavar="USD",
    help="What the migration costs, to tell when it has paid.",
)
@click.option(
    "--criteria",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The criteria of the trial, as for `replay compare`.",
)
@click.option("--baseline", metavar="PROVIDER", help="As for `replay compare`.")
@click.option(
    "--scenario",
    "scenarios",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE",
    help="As for `replay compare`; repeatable.",
)
@click.option(
    "--rows",
    "more",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="More rows of the table of features, as for `record features`.",
)
@json_option
def command(store_url: str, trial: str, output: Path, as_json: bool, **options: Any) -> None:
    """Write the comparison of the providers of TRIAL as a document: prototype, features,
    performance, cost, effort, risks, and the decision by the declared criteria with how sure it is.

    It is made anew each time, with the same bytes from the same data. A file that was edited, or is
    another, is not overwritten: move it away.

    Example: record decide switch --criteria criteria.toml -o decision.md
    """
    from recorder.decision.document import document

    if str(output) == "-" and as_json:
        raise click.UsageError("give -o PATH with --json: - is for the document")
    if str(output) != "-":
        _refuse_foreign(output)
    made = _gathered(store_url, trial, options)
    text = document(made)
    if str(output) == "-":
        click.echo(text, nl=False)
        return
    _write(output, text)
    if as_json:
        click.echo(json.dumps(_facts(output, made), indent=1, ensure_ascii=False))
        return
    for decision in made.decisions:
        click.echo(f"{output}: {decision.headline}")


def _refuse_foreign(path: Path) -> None:
    """RecorderError if `path` has something that was not made here, or was edited since."""
    from recorder.decision.sealing import is_intact

    if not path.parent.is_dir():
        raise RecorderError(f"{path} cannot be written: there is no folder {path.parent}")
    try:
        found = path.read_bytes()
    except FileNotFoundError:
        return
    except OSError as error:
        raise RecorderError(f"{path} cannot be read: {error}") from None
    if not is_intact(found.decode("utf-8", "replace")):
        raise RecorderError(
            f"{path} was edited, or is none of `record decide`: move it away, or give another -o"
        )


def _write(path: Path, text: str) -> None:
    """Whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(text, encoding="utf-8", newline="\n")
        os.replace(part, path)
    except OSError as error:
        raise RecorderError(f"{path} cannot be written: {error}") from None


def _gathered(store_url: str, trial: str, options: Mapping[str, Any]) -> Material:
    from recorder.decision.material import Wanted

    words = _words(trial, options)
    line = join(["replay", "compare", *words])
    wanted = Wanted(options["minutes"], options["effort"], line)
    return material(store_url, compared(store_url, words), wanted, options["more"])


def material(
    store_url: str, comparison: Comparison, wanted: Wanted, more: Path | None = None
) -> Material:
    """What the document of a trial is made of, given its comparison; `more` are rows of the table
    of features. RecorderError for a store or rows that cannot be read."""
    from recorder.commands.asking import asker
    from recorder.decision.asked import Asking
    from recorder.decision.knowledge import shipped
    from recorder.decision.material import gather
    from recorder.features.matrix import fill
    from recorder.features.reading import definitions
    from recorder.pricing import PriceBook

    found, ask = definitions(more), asker(store_url)
    return gather(
        comparison,
        fill(found, comparison.trial, ask),
        shipped(),
        Asking(ask, comparison),
        PriceBook.shipped(),
        wanted,
    )


def _words(trial: str, options: Mapping[str, Any]) -> list[str]:
    """What `replay compare` is asked, without the store."""
    words = [trial]
    words += ["--criteria", str(options["criteria"])] if options["criteria"] else []
    words += ["--baseline", options["baseline"]] if options["baseline"] else []
    for path in options["scenarios"]:
        words += ["--scenario", str(path)]
    return words


def compared(store_url: str, words: list[str]) -> Comparison:
    """The comparison by `replay compare`, in a process of its own: it belongs to the other half of
    the program, which this one does not import. RecorderError with what it says."""
    from recorder.comparison.documents import from_json

    command_line = [sys.executable, "-m", "replay", "compare", "--store", store_url, "--json"]
    told = subprocess.run([*command_line, *words], capture_output=True, text=True, check=False)
    if told.returncode == RecorderError.exit_code:
        raise RecorderError(told.stderr.strip().splitlines()[-1].removeprefix("replay: "))
    if told.returncode:
        raise RuntimeError(f"`replay compare` ended with {told.returncode}:\n{told.stderr}")
    return from_json(json.loads(told.stdout))


def _facts(output: Path, made: Material) -> dict[str, Any]:
    return {
        "file": str(output),
        "trial": made.comparison.trial,
        "simulated": made.comparison.simulated,
        "decisions": [
            {
                "baseline": each.baseline,
                "challenger": each.challenger,
                "headline": each.headline,
                "outcome": each.outcome,
                "sure": each.sure,
                "reasons": list(each.reasons),
                "doubts": list(each.doubts),
                "scenarios_more": each.scenarios_more,
                "near_ends": [
                    {"arm": end.arm, "model": end.model, "days": end.days} for end in each.near_ends
                ],
            }
            for each in made.decisions
        ],
    }
