"""One criterion over the runs of two arms: from runs to arrays, and to the statistic."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from recorder.comparison import estimating
from recorder.comparison.estimating import MIN_SCENARIOS, Measured, Refused, Sums, Values
from recorder.comparison.evidence import Ran
from recorder.comparison.result import Criterion, Estimate
from recorder.comparison.sources import SOURCES
from recorder.counting import counted

Arms = tuple[Sequence[Ran], Sequence[Ran]]
"""The runs of the baseline, and those of the challenger."""


def measure(criterion: Criterion, arms: Arms, confidence: float, name: str) -> Measured | Refused:
    """The difference of two arms, over the scenarios in which both have something to say. `name`
    seeds what is drawn."""
    if criterion.metric in SOURCES:
        return _counted(criterion, arms, confidence, name)
    scenarios = _both(arms, lambda run: bool(run.values.get(criterion.metric)))
    if too_few := _too_few(scenarios):
        return too_few
    a, b = (_values(criterion.metric, runs, scenarios) for runs in arms)
    if criterion.quantile is not None:
        share = criterion.quantile
        return estimating.quantile(a, b, share, len(scenarios), confidence, name)
    statistic = estimating.mean if criterion.statistic == "mean" else estimating.log_median
    return statistic(a, b, len(scenarios), confidence)


def _counted(criterion: Criterion, arms: Arms, confidence: float, name: str) -> Measured | Refused:
    source = SOURCES[criterion.metric]
    runs = (*arms[0], *arms[1])
    unknown = [run for run in runs if run.counts.get(criterion.metric) is None]
    if unknown:
        number = f"{len(unknown)} of {counted(len(runs), 'run')} with"
        return Refused(f"{number} {source.unknown or 'no evidence of it'}")
    if source.statistic == "ratio":
        scenarios = _both(arms, lambda run: True)
        statistic = estimating.ratio
    else:
        scenarios = _both(arms, lambda run: _count(run, criterion.metric)[1] > 0)
        statistic = estimating.rate
    if too_few := _too_few(scenarios):
        return too_few
    a, b = (_sums(criterion.metric, runs, scenarios) for runs in arms)
    return statistic(a, b, len(scenarios), confidence, name)


def estimate(criterion: Criterion, arm: str, runs: Sequence[Ran], confidence: float) -> Estimate:
    """A criterion in one arm alone, as far as it is known: over all of its runs."""
    metric = criterion.metric
    if metric not in SOURCES:
        found = [value for run in runs for value in run.values.get(metric, ())]
        having = sum(bool(run.values.get(metric)) for run in runs)
        return Estimate(arm, _typical(criterion, runs) if found else None, len(found), having)
    known = [count for run in runs if (count := run.counts.get(metric)) is not None]
    of, per = (sum(each[at] for each in known) for at in (0, 1))
    if criterion.statistic == "ratio":
        return Estimate(arm, of / per if known and per else None, len(known), len(known))
    having = sum(count[1] > 0 for count in known)
    if not per:
        return Estimate(arm, None, 0, having)
    low, high = estimating.wilson(of, per, confidence)
    return Estimate(arm, 100 * of / per, round(per), having, 100 * low, 100 * high)


def _typical(criterion: Criterion, runs: Sequence[Ran]) -> float:
    """What one arm shows, as the statistic does it."""
    by_scenario: dict[str, list[float]] = {}
    for run in runs:
        by_scenario.setdefault(run.scenario, []).extend(run.values.get(criterion.metric, ()))
    pools = [np.asarray(pool) for pool in by_scenario.values() if pool]
    if criterion.quantile is not None:
        values = np.concatenate(pools)
        return float(np.quantile(values, criterion.quantile, method="inverted_cdf"))
    if criterion.statistic == "mean":
        return float(np.mean([pool.mean() for pool in pools]))
    medians = np.array([np.median(pool) for pool in pools])
    return float(np.exp(np.log(medians).mean()) if medians.min() > 0 else np.median(medians))


def _both(arms: Arms, has: Callable[[Ran], bool]) -> list[str]:
    """The scenarios in which both arms have something."""
    found = [{run.scenario for run in runs if has(run)} for runs in arms]
    return sorted(found[0] & found[1])


def _too_few(scenarios: Sequence[str]) -> Refused | None:
    if len(scenarios) >= MIN_SCENARIOS:
        return None
    return Refused(
        f"both arms have evidence of it in {len(scenarios)} of the scenarios, and it takes"
        f" {MIN_SCENARIOS}"
    )


def _values(metric: str, runs: Sequence[Ran], scenarios: Sequence[str]) -> Values:
    place = {name: number for number, name in enumerate(scenarios)}
    pairs = [
        (value, place[run.scenario])
        for run in runs
        if run.scenario in place
        for value in run.values.get(metric, ())
    ]
    having = sum(run.scenario in place and bool(run.values.get(metric)) for run in runs)
    values, numbers = zip(*pairs, strict=True)
    return Values(np.array(values, np.float64), np.array(numbers, np.intp), having)


def _sums(metric: str, runs: Sequence[Ran], scenarios: Sequence[str]) -> Sums:
    place = {name: number for number, name in enumerate(scenarios)}
    of, per, having = np.zeros(len(scenarios)), np.zeros(len(scenarios)), 0
    for run in runs:
        if run.scenario in place:
            hits, chances = _count(run, metric)
            of[place[run.scenario]] += hits
            per[place[run.scenario]] += chances
            having += chances > 0
    return Sums(of, per, having)


def _count(run: Ran, metric: str) -> tuple[float, float]:
    """Of what there were so many, where that is known."""
    return run.counts.get(metric) or (0.0, 0.0)
