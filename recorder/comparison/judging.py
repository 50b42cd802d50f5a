"""From intervals to verdicts: the rule is the same for every criterion."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from math import ceil, log
from typing import Final

from recorder.comparison.bootstrap import fewest_swapped
from recorder.comparison.estimating import NEWCOMBE, Measured, newcombe_of
from recorder.comparison.result import Criterion, Effect, Finding, Gate, Needed, Verdict
from recorder.comparison.student import critical, normal_quantile

POWER: Final = 0.8
_AS_NORMAL: Final = 500  # degrees of freedom from which t is the normal to three digits


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


def needed(
    found: Measured, criterion: Criterion, confidence: float, repeats: int, family: int = 1
) -> Needed:
    """How many scenarios, repeated as now, would show a difference as large as the margin four
    times out of five, by the standard error of now. `family` is how many p-values Holm's method
    adjusts together: in the worst case each is multiplied by it. Rates without a spread have no
    standard error: there it is how many would bring the interval within the margin to each side,
    if the rates stay as they are."""
    sure = 1 - (1 - confidence) / family
    least = found.scenarios + 1
    if criterion.statistic == "rate":
        least = max(least, fewest_swapped(1 - sure))
    if found.method == NEWCOMBE:
        runs = _with_newcombe(found, criterion.margin, confidence)
        return Needed(max(least, ceil(runs / repeats)), repeats)
    margin = log(1 + criterion.margin / 100) if found.is_log else criterion.margin
    squares = found.scenarios * (found.error / margin) ** 2
    return Needed(_with_t(squares, sure, least), repeats)


def _with_newcombe(found: Measured, margin: float, confidence: float) -> int:
    """The fewest runs of each arm with which the interval of its rates is within the margin."""
    shares = found.baseline / 100, found.challenger / 100

    def is_within(runs: int) -> bool:
        low, high = newcombe_of(shares, (runs, runs), confidence)
        return max(found.difference - low, high - found.difference) < margin

    return _fewest(is_within, 1)


def _with_t(squares: float, sure: float, least: int) -> int:
    """The fewest scenarios from `least` on, if it takes `squares` of them a squared reach."""
    return _fewest(lambda n: n >= squares * _reach(sure, n - 1) ** 2, least)


def _fewest(enough: Callable[[int], bool], least: int) -> int:
    """The smallest number from `least` on that is enough, as is every larger one."""
    high = least
    while not enough(high):
        high *= 2
    return bisect_left(range(high), True, least, key=enough)


def _reach(sure: float, freedom: int) -> float:
    """How many standard errors a difference has to be, to be shown as often as `POWER` says."""
    if freedom > _AS_NORMAL:
        return normal_quantile((1 + sure) / 2) + normal_quantile(POWER)
    return critical(sure, freedom) + critical(2 * POWER - 1, freedom)


def _gain(effect: Effect, criterion: Criterion) -> tuple[float, float]:
    """The interval so that more is better."""
    if criterion.better == "higher":
        return effect.low, effect.high
    return -effect.high, -effect.low
