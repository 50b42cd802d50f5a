"""What was found, in words. Each number in them stands in the result, with the query behind it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from recorder.comparison.result import (
    PILOT,
    Arm,
    Comparison,
    Effect,
    Finding,
    Gate,
    Pair,
    Verdict,
)
from recorder.counting import counted

SIMULATED: Final = (
    "SIMULATED: {arms} answered from a simulator; the numbers say nothing about the real provider"
)
VERDICTS: Final[dict[Verdict, str]] = {
    "better": "better by more than the margin",
    "better-size-uncertain": "better, size uncertain",
    "worse": "worse by more than the margin",
    "worse-size-uncertain": "worse, size uncertain",
    "equivalent": "equivalent within the margin",
    "inconclusive": "inconclusive",
    "not-estimable": "not estimable",
}
GATES: Final[dict[Gate, str]] = {
    "passed": "the gate is passed",
    "failed": "the gate is failed: nothing else may win",
    "open": "the gate is open: that nothing got worse is not shown, and nothing else may win",
    "none": "no gate was declared",
}
_NEVER: Final = (
    "telephone lines",
    "many calls at once",
    "languages, voices and lines that no scenario has",
)


def quantity(value: float, unit: str, *, sign: bool = False) -> str:
    """A number with its unit: `812 ms`, `+3.1 points`, `$0.0213`."""
    plus = "+" if sign and value > 0 else ""
    if unit.startswith("usd"):
        per = unit.removeprefix("usd")
        text = f"{abs(value):.3g}" if abs(value) < 100 else f"{abs(value):.2f}"
        return f"{'-' if value < 0 else plus}${text}{per}"
    return f"{plus}{_digits(value, unit)} {unit}"


def interval(effect: Effect, unit: str) -> str:
    """`-25.1 … -14.2 %`."""
    low = quantity(effect.low, unit, sign=True)
    if not unit.startswith("usd"):
        low = low.removesuffix(f" {unit}")
    return f"{low} … {quantity(effect.high, unit, sign=True)}"


def finding_sentence(finding: Finding, confidence: float) -> str:
    """One criterion: both values, the difference with its interval, the margin and the verdict."""
    one, effect = finding.criterion, finding.effect
    begin = f"{one.name}: {_value(finding, 1)}, {_value(finding, 0)}"
    if effect is None:
        return f"{begin}: {VERDICTS['not-estimable']} ({finding.reason})"
    change = quantity(effect.difference, one.effect_unit, sign=True)
    shown = interval(effect, one.effect_unit)
    margin = quantity(one.margin, one.effect_unit)
    begin += f": {change} ({confidence * 100:g} % CI {shown}; margin {margin}): "
    return begin + VERDICTS[finding.verdict] + _still_needed(finding)


def needs(finding: Finding) -> str:
    """`about 23 scenarios x 5 runs (115 runs of each arm)`; nothing where enough is known."""
    found = finding.needed
    if found is None:
        return ""
    scenarios = counted(found.scenarios, "scenario")
    return f"about {scenarios} × {counted(found.repeats, 'run')} ({found.runs} of each arm)"


def held(arm: Arm) -> str:
    """`7 of 10 planned runs`; `10 runs` where none is missing, or no tape tells."""
    if not arm.missing:
        return counted(arm.runs, "run")
    return f"{arm.runs} of {counted(arm.planned or 0, 'planned run')}"


def pair_sentence(comparison: Comparison, pair: Pair) -> str:
    """What may be said of a challenger in all."""
    arms = {arm.name: arm for arm in comparison.arms}
    turns = min(arms[name].turns for name in (pair.baseline, pair.challenger))
    excluded = len(
        {
            session
            for each in comparison.exclusions
            for session in each.sessions
            if each.rule != "not held" and each.arm in (pair.baseline, pair.challenger)
        }
    )
    size = f"{counted(turns, 'turn')} of an arm, {counted(len(comparison.days), 'day')}"
    size += f", {counted(excluded, 'run')} excluded by rule"
    scenarios = counted(pair.scenarios, "scenario")
    begin = f"On {scenarios} × {counted(comparison.repeats, 'paired run')} ({size}), "
    begin += f"{pair.challenger} against {pair.baseline}: "
    if comparison.pilot:
        begin = f"A pilot. {begin}"
    if comparison.simulated:
        begin = f"Simulated. {begin}"
    found = [each.sentence for each in pair.of("gate", "primary")] or ["nothing was to decide"]
    text = begin + "; ".join(found) + f". Of gates: {GATES[pair.gate]}."
    return f"{text} Not tested: {'; '.join(comparison.not_tested)}."


def unpaired(scenarios: Sequence[str]) -> tuple[str, ...]:
    """A warning, if the arms of these scenarios do not have as many runs that count."""
    if not scenarios:
        return ()
    return (
        f"the arms do not have equally many runs that count in {', '.join(scenarios)}: rates,"
        " quantiles and ratios of all runs weigh scenarios differently in each arm; the same"
        " `record trial` command holds what was not held",
    )


def warnings(comparison: Comparison) -> tuple[str, ...]:
    """What has to be known before a number is read."""
    return tuple(_warnings(comparison))


def _warnings(comparison: Comparison) -> Iterable[str]:
    simulated = [arm.name for arm in comparison.arms if "simulator" in arm.targets]
    if simulated:
        yield SIMULATED.format(arms=" and ".join(simulated))
    kinds = {target for arm in comparison.arms for target in arm.targets}
    if len(kinds) > 1:
        yield f"not all runs went to the same kind of provider: {', '.join(sorted(kinds))}"
    declared = comparison.declaration
    if declared.declared == "after":
        yield (
            f"the margins in {declared.file} were declared after the first run: such verdicts are"
            " exploratory, whatever they say"
        )
    if declared.declared == "other":
        yield (
            f"runs were begun with other criteria than {declared.file} (sha256"
            f" {declared.sha256[:12]}…): give the file that was declared"
        )
    if declared.declared == "shipped":
        yield (
            "no margins were declared for this trial: those that come with this program are used;"
            " declare your own with `record trial --criteria FILE`"
        )
    for arm in comparison.arms:
        if arm.missing:
            told = f"{arm.name}: {held(arm)} took place"
            yield f"{told}: the same `record trial` command holds the rest"
    yield from _excluded(comparison)
    if comparison.pilot:
        yield f"fewer than {PILOT} scenarios: a pilot, which can only show large differences"
    for pair in comparison.pairs:
        missing = len(comparison.scenarios) - pair.scenarios
        if missing:
            yield (
                f"{counted(missing, 'scenario')} without a valid run of both {pair.baseline} and"
                f" {pair.challenger}: left out of that comparison"
            )


def _excluded(comparison: Comparison) -> Iterable[str]:
    """How many runs the rules exclude that were not held again, and what to do about it."""
    number = sum(arm.runs - arm.valid for arm in comparison.arms)
    if number:
        ruled = [each for each in comparison.exclusions if each.rule != "not held"]
        runs = counted(sum(arm.runs for arm in comparison.arms), "run")
        rules = ", ".join(sorted({each.rule for each in ruled}))
        yield (
            f"{number} of {runs} excluded by rule ({rules}), because the caller's side was not as"
            " it should be: the same `record trial` command with --retry-excluded holds them again,"
            " and nothing else should run on that machine meanwhile"
        )


def not_tested(comparison: Comparison) -> tuple[str, ...]:
    """What the trial says nothing about."""
    found = [
        f"{each.criterion.name} (not estimable)"
        for pair in comparison.pairs
        for each in pair.findings
        if each.verdict == "not-estimable"
    ]
    live = [arm.name for arm in comparison.arms if arm.targets != ("live",)]
    if live:
        found.append(f"the live service of {' and '.join(live)}")
    return (*dict.fromkeys(found), *_NEVER)


def _value(finding: Finding, which: int) -> str:
    estimate = (finding.baseline, finding.challenger)[which]
    if estimate.value is None:
        return f"{estimate.arm} no evidence"
    return f"{estimate.arm} {quantity(estimate.value, finding.criterion.unit)}"


def _still_needed(finding: Finding) -> str:
    return f"; {needs(finding)} would tell" if finding.needed else ""


def _digits(value: float, unit: str) -> str:
    if unit in ("ms", "count"):
        return f"{value:.0f}"
    return f"{value:.1f}" if unit in ("%", "points") else f"{value:.3g}"
