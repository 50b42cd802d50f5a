"""From intervals to verdicts: the rule is the same for every criterion."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import ceil, log
from typing import Final

from recorder.comparison.estimating import Measured
from recorder.comparison.result import Criterion, Effect, Finding, Gate, Needed, Verdict
from recorder.comparison.student import normal_quantile

POWER: Final = 0.8


def holm(values: Sequence[float]) -> list[float]:
    """P-values adjusted by Holm's step-down method, in the order given."""
    order = sorted(range(len(values)), key=lambda at: values[at])
    found, highest = [0.0] * len(values), 0.0
    for rank, at in enumerate(order):
        highest = max(highest, min(1.0, (len(values) - rank) * values[at]))
        found[at] = highest
    return found


def verdict(effect: Effect, criterion: Criterion, confidence: float) -> Verdict:
    """What an interval says against the margin. A difference counts only if its adjusted p-value
    says so, too."""
    low, high = _gain(effect, criterion)
    shown = effect.p_adjusted < 1 - confidence and (low > 0 or high < 0)
    if shown and low >= criterion.margin:
        return "better"
    if shown and high <= -criterion.margin:
        return "worse"
    if -criterion.margin < low and high < criterion.margin:
        return "equivalent"
    if shown:
        return "better-size-uncertain" if low > 0 else "worse-size-uncertain"
    return "inconclusive"


def gate(findings: Iterable[Finding]) -> Gate:
    """Whether no gate is worse by its margin: the whole interval has to lie above it."""
    gates = [each for each in findings if each.criterion.family == "gate"]
    if not gates:
        return "none"
    states = {_passes(each) for each in gates}
    return "failed" if "failed" in states else "open" if "open" in states else "passed"


def _passes(finding: Finding) -> Gate:
    if finding.effect is None:
        return "open"
    low, high = _gain(finding.effect, finding.criterion)
    margin = finding.criterion.margin
    return "passed" if low > -margin else "failed" if high <= -margin else "open"


def needed(found: Measured, criterion: Criterion, confidence: float, repeats: int) -> Needed:
    """How many scenarios, repeated as now, would show a difference as large as the margin four
    times out of five, by the standard error of now."""
    margin = log(1 + criterion.margin / 100) if found.is_log else criterion.margin
    z = normal_quantile((1 + confidence) / 2)
    reach = z + normal_quantile(POWER)
    spread = found.error or (found.high - found.low) / (2 * z)
    scenarios = ceil(found.scenarios * (reach * spread / margin) ** 2)
    return Needed(max(scenarios, found.scenarios + 1), repeats)


def _gain(effect: Effect, criterion: Criterion) -> tuple[float, float]:
    """The interval so that more is better."""
    if criterion.better == "higher":
        return effect.low, effect.high
    return -effect.high, -effect.low
