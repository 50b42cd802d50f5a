"""The verdicts of a comparison as the page shows them: numbers as text, each with its query."""

from __future__ import annotations

from typing import Any, Final

from recorder.comparison.page import asking
from recorder.comparison.page.numbers import number
from recorder.comparison.result import Comparison, Effect, Estimate, Exclusion, Finding, Pair
from recorder.comparison.sentences import GATES, VERDICTS, interval, needs, quantity
from recorder.comparison.text import DECLARED, FAMILIES, p_value
from recorder.counting import counted

_RULES: Final = {
    "pace": "the caller's audio was off its time",
    "speed": "the caller's audio was not sent in real time",
    "stall": "the trial's event loop stood still",
    "delivery": "the caller did not come to every turn of the scenario",
    "not held": "the run was stopped, never begun or repeated",
}


def head(comparison: Comparison) -> dict[str, Any]:
    """What was run, where, and by what it is judged."""
    told = comparison.declaration
    size = (
        f"{counted(len(comparison.scenarios), 'scenario')} × {counted(comparison.repeats, 'run')}"
    )
    facts = [
        ("Trial", comparison.trial),
        ("Scenarios", ", ".join(comparison.scenarios)),
        ("Days (UTC)", ", ".join(comparison.days)),
        ("Margins", f"{told.file}, {DECLARED[told.declared]}"),
        ("SHA-256 of the margins", told.sha256),
        ("Confidence of intervals", f"{told.confidence * 100:g} %"),
        ("Prices", ", ".join(comparison.price_books) or "none"),
    ]
    return {
        "trial": comparison.trial,
        "size": size,
        "simulated": comparison.simulated,
        "pilot": comparison.pilot,
        "warnings": list(comparison.warnings),
        "arms": [arm._asdict() for arm in comparison.arms],
        "facts": facts,
        "not_tested": list(comparison.not_tested),
        "families": FAMILIES,
    }


def pairs(comparison: Comparison) -> list[dict[str, Any]]:
    """Each challenger against the baseline."""
    return [_pair(pair, comparison) for pair in comparison.pairs]


def exclusions(comparison: Comparison) -> list[dict[str, Any]]:
    """Which runs do not count, by rule."""
    return [_exclusion(each) for each in comparison.exclusions]


def _exclusion(each: Exclusion) -> dict[str, Any]:
    what = f"Runs of {each.arm} that the rule `{each.rule}` excludes: {_RULES[each.rule]}."
    title = f"Excluded: {each.arm}, {each.rule}"
    found = number(str(each.runs), each.runs, title, what, asking.notes(each.sessions))
    return {"arm": each.arm, "rule": each.rule, "what": _RULES[each.rule], "runs": found} | {
        "sessions": list(each.sessions)
    }


def _pair(pair: Pair, comparison: Comparison) -> dict[str, Any]:
    return {
        "baseline": pair.baseline,
        "challenger": pair.challenger,
        "gate": pair.gate,
        "gate_words": GATES[pair.gate],
        "scenarios": pair.scenarios,
        "sentence": pair.sentence,
        "findings": [_finding(each, comparison) for each in pair.findings],
    }


def _finding(finding: Finding, comparison: Comparison) -> dict[str, Any]:
    one = finding.criterion
    return {
        "name": one.name,
        "family": one.family,
        "verdict": finding.verdict,
        "words": VERDICTS[finding.verdict],
        "sentence": finding.sentence,
        "better": one.better,
        "margin": one.margin,
        "margin_text": quantity(one.margin, one.effect_unit),
        "values": [_estimate(each, finding) for each in (finding.baseline, finding.challenger)],
        "effect": _effect(finding.effect, finding, comparison.declaration.confidence),
        "reason": finding.reason,
        "needs": needs(finding),
        "verdict_all": finding.verdict_all,
        "words_all": VERDICTS[finding.verdict_all],
        "effect_all": _short(finding.effect_all, one.effect_unit),
        "effect_short": _short(finding.effect, one.effect_unit),
    }


def _estimate(each: Estimate, finding: Finding) -> dict[str, Any]:
    one = finding.criterion
    size = f"{each.observations} in {counted(each.runs, 'run')}"
    if each.value is None:
        return {"arm": each.arm, "size": size, "number": None}
    text = quantity(each.value, one.unit)
    what = f"`{one.metric}`, `{one.statistic}`, over {size}."
    if each.low is not None and each.high is not None:
        low, high = quantity(each.low, one.unit), quantity(each.high, one.unit)
        what += f" Wilson's 95 % interval: {low} to {high}."
    title = f"{one.name}: {each.arm}"
    return {
        "arm": each.arm,
        "size": size,
        "number": number(text, each.value, title, what, finding.query),
    }


def _effect(effect: Effect | None, finding: Finding, confidence: float) -> dict[str, Any] | None:
    if effect is None:
        return None
    one = finding.criterion
    shown = interval(effect, one.effect_unit)
    arms = f"{finding.challenger.arm} less {finding.baseline.arm}"
    what = (
        f"{arms}, with the {confidence * 100:g} % interval {shown}, over"
        f" {counted(effect.scenarios, 'scenario')}; {effect.method}. p = {effect.p:.3g}, after Holm"
        f" {effect.p_adjusted:.3g}. The query gives the raw values."
    )
    text = quantity(effect.difference, one.effect_unit, sign=True)
    title = f"{one.name}: difference"
    return {
        "number": number(text, effect.difference, title, what, finding.query),
        "low": effect.low,
        "high": effect.high,
        "interval": shown,
        "confidence": f"{confidence * 100:g} % CI",
        "p": p_value(effect.p_adjusted),
        "scenarios": counted(effect.scenarios, "scenario"),
    }


def _short(effect: Effect | None, unit: str) -> str:
    if effect is None:
        return "no difference can be told"
    return f"{quantity(effect.difference, unit, sign=True)} ({interval(effect, unit)})"
