"""A comparison for people who read a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from recorder.comparison.result import (
    Arm,
    Comparison,
    Declared,
    Family,
    Finding,
    Pair,
    Verdict,
)
from recorder.comparison.sentences import interval, needs, quantity
from recorder.counting import counted
from recorder.report.tables import Column, table
from recorder.report.text import Paint
from recorder.report.wording import printable

_NAMED: Final = 3  # sessions that an exclusion names
_COLOURS: Final[dict[Verdict, str]] = {
    "better": "green",
    "better-size-uncertain": "green",
    "worse": "red",
    "worse-size-uncertain": "red",
    "equivalent": "blue",
    "inconclusive": "yellow",
    "not-estimable": "yellow",
}
FAMILIES: Final[dict[Family, str]] = {
    "gate": "Gates: may not get worse, before anything else may win",
    "primary": "Primary: what decides (p after Holm)",
    "exploratory": "Exploratory: shown, decides nothing",
}
"""What a family of criteria is for."""
DECLARED: Final[dict[Declared, str]] = {
    "on-tape": "declared before the runs: each tape has its digest",
    "before": "declared before the first run, by the time of the file",
    "after": "declared after the first run",
    "other": "not those that the runs were begun with",
    "shipped": "not declared for this trial",
}
"""When the margins were declared, in words."""


def lines(comparison: Comparison, paint: Paint, width: int | None) -> Iterator[str]:
    """All of it: what was run, what has to be known first, then each challenger."""
    for warning in comparison.warnings:
        yield paint(printable(warning), fg="yellow", bold=True)
    yield from _head(comparison, width)
    for pair in comparison.pairs:
        yield ""
        yield from _pair(comparison, pair, paint, width)


def _head(comparison: Comparison, width: int | None) -> Iterator[str]:
    size = counted(len(comparison.scenarios), "scenario")
    size += f" × {counted(comparison.repeats, 'run')}"
    yield f"trial {printable(comparison.trial)}: {size}, {', '.join(comparison.days)}"
    columns = [Column("ARM"), Column("RUNS"), Column("COUNT"), Column("TURNS"), Column("AT")]
    rows = [_arm(arm, number) for number, arm in enumerate(comparison.arms)]
    yield from table([*columns, Column("MODELS", 10)], rows, width)
    if not comparison.exclusions:
        yield "excluded: no run"
    for each in comparison.exclusions:
        shown = ", ".join(each.sessions[:_NAMED]) + (", …" if each.runs > _NAMED else "")
        yield f"excluded: {each.arm}, {each.rule}: {each.runs} ({shown})"
    told = comparison.declaration
    yield f"margins: {told.file}, sha256 {told.sha256[:12]}…, {DECLARED[told.declared]}"
    yield f"prices: {', '.join(comparison.price_books) or 'none'}"


def _arm(arm: Arm, number: int) -> list[str]:
    name = arm.name if number else f"{arm.name} (baseline)"
    runs = f"{arm.runs} of {arm.planned}" if arm.missing else str(arm.runs)
    counts = [runs, str(arm.valid), str(arm.turns)]
    return [name, *counts, ", ".join(arm.targets), printable(", ".join(arm.models))]


def _pair(comparison: Comparison, pair: Pair, paint: Paint, width: int | None) -> Iterator[str]:
    yield paint(f"{pair.challenger} against {pair.baseline}", bold=True)
    for family, title in FAMILIES.items():
        found = pair.of(family)
        if found:
            yield title
            yield from _table(comparison, found, pair, paint, width)
            yield from _notes(found)
    if any(each.rule != "not held" for each in comparison.exclusions):
        yield from _excluded(pair)
    yield printable(pair.sentence)


def _table(
    comparison: Comparison,
    found: tuple[Finding, ...],
    pair: Pair,
    paint: Paint,
    width: int | None,
) -> Iterator[str]:
    columns = [
        *(Column("VERDICT"), Column("CRITERION", 12)),
        *(Column(pair.baseline, 0, True), Column(pair.challenger, 0, True)),
        Column("DIFFERENCE", 0, True),
        Column(f"{comparison.declaration.confidence * 100:g} % CI", 0, True),
        *(Column("MARGIN", 0, True), Column("P", 0, True)),
    ]
    head, *rows = table(columns, [_row(each) for each in found], width)
    yield f"  {head}"
    for finding, row in zip(found, rows, strict=True):
        size = len(finding.verdict)
        yield f"  {paint(row[:size], fg=_COLOURS[finding.verdict])}{row[size:]}"


def _row(finding: Finding) -> list[str]:
    one, effect = finding.criterion, finding.effect
    values = [
        "–" if each.value is None else quantity(each.value, one.unit)
        for each in (finding.baseline, finding.challenger)
    ]
    margin = quantity(one.margin, one.effect_unit)
    begin = [finding.verdict, printable(one.name), *values]
    if effect is None:
        return [*begin, "–", "–", margin, "–"]
    change = quantity(effect.difference, one.effect_unit, sign=True)
    return [*begin, change, interval(effect, one.effect_unit), margin, p_value(effect.p_adjusted)]


def p_value(value: float) -> str:
    """A p-value as it is printed: `.031`."""
    return "<.001" if value < 0.001 else f"{value:.3f}".removeprefix("0")


def _notes(found: tuple[Finding, ...]) -> Iterator[str]:
    """Why there is no verdict, and what it would take: a line a reason."""
    reasons: dict[str, list[str]] = {}
    for each in found:
        why = each.reason or ""
        needed = needs(each)
        if needed:
            why = f"{why}; it takes {needed}" if why else f"it takes {needed} to tell"
        if why:
            reasons.setdefault(why, []).append(each.criterion.name)
    for why, names in reasons.items():
        yield f"    {printable(', '.join(names))}: {printable(why)}"


def _excluded(pair: Pair) -> Iterator[str]:
    """What the excluded runs would change."""
    other = [each for each in pair.findings if each.verdict != each.verdict_all]
    if not other:
        yield "With the excluded runs the verdicts are the same."
    for each in other:
        name = printable(each.criterion.name)
        told = f"With the excluded runs {name} would be {each.verdict_all}, not {each.verdict}"
        if each.effect_all is not None:
            unit = each.criterion.effect_unit
            change = quantity(each.effect_all.difference, unit, sign=True)
            told += f": {change} ({interval(each.effect_all, unit)})"
        yield told
