"""Reads `criteria.toml`: what a trial is judged by, with margins. Unknown keys are errors."""

from __future__ import annotations

import hashlib
import re
from importlib.resources import files
from pathlib import Path
from typing import Final, Literal, NamedTuple, cast

from recorder.comparison.result import Criterion, Family, Statistic
from recorder.comparison.sources import SOURCES
from recorder.errors import RecorderError
from recorder.metrics.catalogue import about
from recorder.trial.toml import Source, Table

SCHEMA: Final = 1
SHIPPED: Final = "criteria.toml"
_FAMILIES: Final = ("primary", "gate", "exploratory")
_BETTER: Final = ("lower", "higher")
_QUANTILE: Final = re.compile(r"p([1-9]\d?(?:\.\d+)?)")


class Criteria(NamedTuple):
    """A file of criteria. `baseline` names the arm that others are compared with, if the file does;
    `sha256` is that of its text."""

    file: str
    sha256: str
    confidence: float
    baseline: str | None
    criteria: tuple[Criterion, ...]


def shipped() -> Criteria:
    """Those that come with this program."""
    text = files(__package__).joinpath(SHIPPED).read_text(encoding="utf-8")
    return read_criteria(text, f"{SHIPPED} of this program")


def load_criteria(path: Path) -> Criteria:
    """Those in a file; RecorderError if it cannot be read, FileError for what is wrong in it."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise RecorderError(f"{path} cannot be read ({why}): give a file of criteria") from None
    return read_criteria(text, path.name)


def read_criteria(text: str, name: str) -> Criteria:
    """Read the text of a file called `name`; FileError for the first thing that is wrong."""
    root = Source(text, name).root()
    if root.whole("schema") != SCHEMA:
        root.refuse(f"schema has to be {SCHEMA}", "schema")
    confidence = root.number("confidence", 0.95)
    if not 0.5 <= confidence <= 0.999:
        root.refuse("confidence has to be from 0.5 to 0.999", "confidence")
    baseline = root.maybe_text("baseline")
    found: list[Criterion] = []
    for table in root.tables("criterion"):
        one = _criterion(table)
        if any(one.name == other.name for other in found):
            table.refuse(f"a second criterion is called {one.name!r}", "name")
        found.append(one)
    root.done()
    if not found:
        root.refuse("there is no criterion; one begins with [[criterion]]")
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Criteria(name, digest, confidence, baseline, tuple(found))


def _criterion(table: Table) -> Criterion:
    name = table.text("name")
    family = cast(Family, table.choice("family", _FAMILIES, "exploratory"))
    metric = table.text("metric")
    margin = table.number("margin")
    if not margin:
        table.refuse("margin has to be above 0: no difference at all cannot be shown", "margin")
    if metric in SOURCES:
        source = SOURCES[metric]
        effect = "points" if source.statistic == "rate" else "%"
        found = Criterion(
            *(name, family, metric, source.statistic, None, source.better, margin),
            *(source.unit, effect),
        )
    else:
        found = _measured(table, name, family, metric, margin)
    table.done()
    return found


def _measured(table: Table, name: str, family: Family, metric: str, margin: float) -> Criterion:
    try:
        unit = about(metric).unit
    except KeyError:
        counted = ", ".join(SOURCES)
        table.refuse(f"metric {metric!r} is none of docs/metrics.md, nor {counted}", "metric")
    statistic, share = _statistic(table)
    if not table.has("better"):
        table.refuse("better is missing: lower or higher")
    better = cast(Literal["lower", "higher"], table.choice("better", _BETTER, ""))
    effect = "%" if statistic == "log_median" else unit
    return Criterion(name, family, metric, statistic, share, better, margin, unit, effect)


def _statistic(table: Table) -> tuple[Statistic, float | None]:
    told = table.text("statistic")
    if told == "log_median":
        return "log_median", None
    if told == "mean":
        return "mean", None
    match = _QUANTILE.fullmatch(told)
    if match is None:
        why = f"statistic is {told!r}; valid are log_median, mean, p50, p95, …"
        table.refuse(why, "statistic")
    return "quantile", float(match[1]) / 100
