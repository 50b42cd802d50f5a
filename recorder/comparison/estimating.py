"""The statistics: two arms over the same scenarios, what differs, and how sure that is.

The unit is the scenario. A difference has Student's t interval with a degree of freedom less than
there are scenarios, about a standard error that is that of paired differences, or of a bootstrap by
scenario. docs/compare.md has the measured coverage, and why it is not the percentile interval.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, exp, log, sqrt
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recorder.comparison import bootstrap
from recorder.comparison.bootstrap import Floats
from recorder.comparison.student import critical, normal_quantile, two_sided

MIN_SCENARIOS: Final = 2
_LARGEST: Final = 700.0
_NO_SPREAD: Final = 1e-9
_SIGNS: Final = 6  # as many that agree are seen by chance less than once in 20
T_PAIRED: Final = "Student's t on paired differences of scenarios"
T_BOOTSTRAP: Final = "Student's t on the standard error of a bootstrap by scenario"
NEWCOMBE: Final = "Newcombe's score interval: the scenarios show no spread"


class Values(NamedTuple):
    """One arm: values, and the number of the scenario of each, from 0."""

    values: Floats
    scenario: NDArray[np.intp]
    runs: int


class Sums(NamedTuple):
    """One arm: two sums by scenario, such as failures and calls."""

    numerator: Floats
    denominator: Floats
    runs: int


class Measured(NamedTuple):
    """`baseline` and `challenger` in the unit of the criterion, the difference and its interval in
    that of the effect. `error` is the standard error, on the scale of logarithms if `is_log`."""

    baseline: float
    challenger: float
    difference: float
    low: float
    high: float
    p: float
    error: float
    is_log: bool
    scenarios: int
    method: str


class Refused(NamedTuple):
    """There is nothing to say, and why. `runs` is how many runs of each arm would do, if that is
    what is missing."""

    reason: str
    runs: int | None = None


def log_median(a: Values, b: Values, scenarios: int, confidence: float) -> Measured | Refused:
    """Change of the median in %: the mean over scenarios of the differences of log medians. The
    value of an arm is the geometric mean of the medians of its scenarios."""
    medians = [_by_scenario(arm, scenarios, np.median) for arm in (a, b)]
    if min(float(found.min()) for found in medians) <= 0:
        return Refused("the median of a scenario is 0 or less, of which there is no change in %")
    logs = [np.log(found) for found in medians]
    change, spread = _paired(logs[0], logs[1])
    values = [float(np.exp(found.mean())) for found in logs]
    return _told(values, change, spread, scenarios, confidence, is_log=True, method=T_PAIRED)


def mean(a: Values, b: Values, scenarios: int, confidence: float) -> Measured | Refused:
    """Difference of means: of those of the scenarios."""
    means = [_by_scenario(arm, scenarios, np.mean) for arm in (a, b)]
    change, spread = _paired(means[0], means[1])
    values = [float(found.mean()) for found in means]
    return _told(values, change, spread, scenarios, confidence, is_log=False, method=T_PAIRED)


def quantile(
    a: Values, b: Values, share: float, scenarios: int, confidence: float, name: str
) -> Measured | Refused:
    """Difference of a quantile of all values together. `name` seeds the draws."""
    least, have = observations_for(share, confidence), min(a.runs, b.runs)
    if have < least:
        return Refused(
            f"P{share * 100:g} is not estimable below {least} independent observations; of an arm"
            f" there are {have}, its runs: turns of one run are not independent",
            least,
        )
    whole = np.ones((1, scenarios), np.int32)
    counts = bootstrap.draw(scenarios, bootstrap.chance(name))
    drawn = [bootstrap.quantiles(arm[0], arm[1], share, counts) for arm in (a, b)]
    found = [float(bootstrap.quantiles(arm[0], arm[1], share, whole)[0]) for arm in (a, b)]
    spread = bootstrap.error(drawn[1] - drawn[0])
    change = found[1] - found[0]
    return _told(found, change, spread, scenarios, confidence, is_log=False, method=T_BOOTSTRAP)


def ratio(a: Sums, b: Sums, scenarios: int, confidence: float, name: str) -> Measured | Refused:
    """Change in % of the ratio of two sums."""
    for arm in (a, b):
        if min(arm.numerator.sum(), arm.denominator.sum()) <= 0:
            return Refused("one of its sums is 0 in an arm, so that there is no ratio to compare")
    counts = bootstrap.draw(scenarios, bootstrap.chance(name))
    with np.errstate(divide="ignore", invalid="ignore"):
        drawn = [
            np.log(bootstrap.sums(arm.numerator, counts) / bootstrap.sums(arm.denominator, counts))
            for arm in (a, b)
        ]
    if not np.isfinite(drawn).all():
        return Refused("one of its sums is 0 in too many scenarios to compare the ratio")
    found = [float(arm.numerator.sum() / arm.denominator.sum()) for arm in (a, b)]
    spread = bootstrap.error(drawn[1] - drawn[0], scenarios)
    change = log(found[1] / found[0])
    return _told(found, change, spread, scenarios, confidence, is_log=True, method=T_BOOTSTRAP)


def rate(a: Sums, b: Sums, scenarios: int, confidence: float, name: str) -> Measured | Refused:
    """Difference in points of a share, which every scenario has an occasion for in both arms. Its
    p-value is that of a permutation."""
    for arm in (a, b):
        if arm.denominator.sum() <= 0:
            return Refused("an arm had no occasion for it")
    random = bootstrap.chance(name)
    counts = bootstrap.draw(scenarios, random)
    drawn = [
        bootstrap.sums(arm.numerator, counts) / bootstrap.sums(arm.denominator, counts)
        for arm in (a, b)
    ]
    found = [100 * float(arm.numerator.sum() / arm.denominator.sum()) for arm in (a, b)]
    change = found[1] - found[0]
    spread = 100 * bootstrap.error(drawn[1] - drawn[0], scenarios)
    p = bootstrap.swapped_p(a[:2], b[:2], random)
    method, half = T_BOOTSTRAP, critical(confidence, scenarios - 1) * spread
    low, high = change - half, change + half
    if spread < _NO_SPREAD:
        method, (low, high) = NEWCOMBE, newcombe(a, b, confidence)
    low, high = max(low, -100.0), min(high, 100.0)
    a_rate, b_rate = found
    return Measured(a_rate, b_rate, change, low, high, p, spread, False, scenarios, method)


def observations_for(share: float, confidence: float) -> int:
    """How many independent observations it takes until the largest is likely beyond a quantile:
    without them there is no interval for it. 59 for P95 and 299 for P99, at 95 %."""
    return ceil(log(1 - confidence) / log(max(share, 1 - share)))


def wilson(hits: float, chances: float, confidence: float) -> tuple[float, float]:
    """Wilson's score interval of a rate, from 0 to 1. It takes the chances for independent."""
    z = normal_quantile((1 + confidence) / 2)
    share, size = hits / chances, 1 + z * z / chances
    middle = (share + z * z / (2 * chances)) / size
    half = z / size * sqrt(share * (1 - share) / chances + z * z / (4 * chances * chances))
    return max(0.0, middle - half), min(1.0, middle + half)


def newcombe(a: Sums, b: Sums, confidence: float) -> tuple[float, float]:
    """Newcombe's interval of the difference of two rates, in points, from Wilson's of each. What
    counts as independent is a run, not each of its chances."""
    share_a, share_b = (float(arm.numerator.sum() / arm.denominator.sum()) for arm in (a, b))
    return newcombe_of((share_a, share_b), (a.runs, b.runs), confidence)


def newcombe_of(
    shares: tuple[float, float], runs: tuple[int, int], confidence: float
) -> tuple[float, float]:
    """The same of two shares from 0 to 1, each of so many runs."""
    share_a, share_b = shares
    low_a, high_a = wilson(share_a * runs[0], runs[0], confidence)
    low_b, high_b = wilson(share_b * runs[1], runs[1], confidence)
    change = share_b - share_a
    low = change - sqrt((share_b - low_b) ** 2 + (high_a - share_a) ** 2)
    high = change + sqrt((high_b - share_b) ** 2 + (share_a - low_a) ** 2)
    return 100 * low, 100 * high


def _by_scenario(arm: Values, scenarios: int, of: Callable[[Floats], np.floating]) -> Floats:
    return np.array([float(of(arm.values[arm.scenario == each])) for each in range(scenarios)])


def _paired(a: Floats, b: Floats) -> tuple[float, float]:
    """The mean difference, and its standard error."""
    differences = b - a
    return float(differences.mean()), float(differences.std(ddof=1) / sqrt(len(differences)))


def _told(
    found: list[float],
    change: float,
    spread: float,
    scenarios: int,
    confidence: float,
    *,
    is_log: bool,
    method: str,
) -> Measured | Refused:
    """The interval about a change. Scenarios without any spread say nothing of how sure it is: few
    of them are refused, and more have the p-value of as many signs that agree."""
    if spread >= _NO_SPREAD:
        p = two_sided(change / spread, scenarios - 1)
    elif scenarios < _SIGNS:
        return Refused(
            f"the scenarios show no spread, and with fewer than {_SIGNS} that may be luck"
        )
    else:
        p = 2.0 ** (1 - scenarios) if abs(change) > _NO_SPREAD else 1.0
    half = critical(confidence, scenarios - 1) * spread
    low, high = change - half, change + half
    if is_log:
        change, low, high = (_percent(each) for each in (change, low, high))
    return Measured(found[0], found[1], change, low, high, p, spread, is_log, scenarios, method)


def _percent(logarithm: float) -> float:
    """A difference of logarithms as a change in %; one too large for a number is cut."""
    return 100 * (exp(min(logarithm, _LARGEST)) - 1)
