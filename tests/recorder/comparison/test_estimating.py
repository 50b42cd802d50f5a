"""The statistics: exact answers where there are some, and how often they are right where there are
not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from noise import Shape, bills, failures, waits
from thoroughness import SLOW

from recorder.comparison.bootstrap import draw, quantiles
from recorder.comparison.estimating import (
    Measured,
    Refused,
    Sums,
    Values,
    log_median,
    mean,
    newcombe,
    observations_for,
    quantile,
    rate,
    ratio,
    wilson,
)

TRIALS = 2000 if SLOW else 200
NAMES = ("log_median", "p50", "ratio", "rate")


def values(*scenarios: list[float]) -> Values:
    numbers = np.repeat(np.arange(len(scenarios)), [len(each) for each in scenarios])
    return Values(np.concatenate([np.array(each) for each in scenarios]), numbers, len(numbers))


def sums(numerator: list[float], denominator: list[float], runs: int = 50) -> Sums:
    return Sums(np.array(numerator, float), np.array(denominator, float), runs)


def known(found: Measured | Refused) -> Measured:
    assert isinstance(found, Measured), found
    return found


def measured(name: str, shape: Shape, random: np.random.Generator, trial: int) -> Measured:
    size, seed = shape.scenarios, f"trial-{trial}"
    if name == "log_median":
        return known(log_median(*waits(shape, random), size, 0.95))
    if name == "p50":
        return known(quantile(*waits(shape, random), 0.5, size, 0.95, seed))
    if name == "ratio":
        return known(ratio(*bills(shape, random), size, 0.95, seed))
    return known(rate(*failures(shape, random), size, 0.95, seed))


@pytest.mark.parametrize("name", NAMES)
def test_few_differences_are_found_where_there_is_none(name: str) -> None:
    random = np.random.default_rng(7)
    found = [measured(name, Shape(), random, trial) for trial in range(TRIALS)]
    wrong = np.mean([each.p < 0.05 and not each.low <= 0 <= each.high for each in found])
    covered = np.mean([each.low <= 0 <= each.high for each in found])
    assert 0.03 <= wrong <= 0.07
    assert 0.90 <= covered <= 0.97


@pytest.mark.parametrize(
    ("name", "truth"),
    [pytest.param("p50", 200.0, marks=pytest.mark.slow), ("ratio", 30.0), ("rate", 10.0)],
)
def test_the_interval_has_the_truth_in_it_as_often_as_it_says(name: str, truth: float) -> None:
    shape = Shape(shift_ms=200, usd_scale=1.3, failing=(0.05, 0.15))
    random = np.random.default_rng(11)
    found = [measured(name, shape, random, trial) for trial in range(TRIALS)]
    assert 0.90 <= np.mean([each.low <= truth <= each.high for each in found]) <= 0.97


def test_the_log_median_covers_a_change_in_per_cent() -> None:
    random = np.random.default_rng(13)
    found = [measured("log_median", Shape(scale=1.25), random, 0) for _ in range(TRIALS)]
    assert 0.90 <= np.mean([each.low <= 25 <= each.high for each in found]) <= 0.97


def test_a_median_change_is_the_mean_over_scenarios_of_logs() -> None:
    a, b = values([100, 200, 300], [400]), values([220], [484])
    found = known(log_median(a, b, 2, 0.95))
    assert found.difference == pytest.approx(100 * ((1.1 * 1.21) ** 0.5 - 1))
    assert found.baseline == pytest.approx((200 * 400) ** 0.5)
    # logs differ by 1 and 2 times that of 1.1: mean 1.5, standard error .5
    assert found.high == pytest.approx(100 * (1.1 ** (1.5 + 12.7062 / 2) - 1), abs=0.01)


def test_scenarios_without_any_spread_say_little() -> None:
    few = [values(*[[wait]] * 5) for wait in (100.0, 110.0)]
    assert isinstance(log_median(*few, 5, 0.95), Refused)
    more = [values(*[[wait]] * 6) for wait in (100.0, 110.0)]
    found = known(log_median(*more, 6, 0.95))
    assert (found.low, found.high) == pytest.approx((10, 10))
    assert found.p == 2**-5  # six signs that agree
    assert known(log_median(more[0], more[0], 6, 0.95)).p == 1


def test_a_median_of_0_has_no_change_in_per_cent() -> None:
    assert isinstance(log_median(values([-5], [10]), values([5], [10]), 2, 0.95), Refused)


def test_means_are_of_scenarios_however_many_values_they_have() -> None:
    found = known(mean(values([1, 1, 1, 1], [3]), values([2], [6]), 2, 0.95))
    assert (found.baseline, found.challenger, found.difference) == (2, 4, 2)
    # differences 1 and 3: mean 2, standard error 1, t of one degree of freedom
    assert found.high == pytest.approx(2 + 12.706, abs=0.001)


def test_a_quantile_is_a_value_that_occurs() -> None:
    a, b = (values(*[[float(n + at) for n in range(20)]] * 6) for at in (0, 3))
    found = known(quantile(a, b, 0.5, 6, 0.95, "x"))
    assert (found.baseline, found.challenger, found.difference) == (9, 12, 3)


@pytest.mark.parametrize(("share", "least"), [(0.5, 5), (0.9, 29), (0.95, 59), (0.99, 299)])
def test_a_far_quantile_takes_many_independent_observations(share: float, least: int) -> None:
    assert observations_for(share, 0.95) == least
    random = np.random.default_rng(1)
    few, enough = (
        [arm._replace(runs=runs) for arm in waits(Shape(), random)] for runs in (least - 1, least)
    )
    refused = quantile(*few, share, 10, 0.95, "x")
    assert isinstance(refused, Refused)
    assert refused.runs == least
    assert isinstance(quantile(*enough, share, 10, 0.95, "x"), Measured)


def test_an_interval_is_the_same_each_time_and_another_for_another_trial() -> None:
    arms = waits(Shape(), np.random.default_rng(1))
    one, again, other = (quantile(*arms, 0.5, 10, 0.95, name) for name in ("a", "a", "b"))
    assert one == again != other


@given(st.integers(1, 40), st.integers(0, 2**32 - 1), st.floats(0.01, 0.99))
def test_a_drawn_quantile_is_that_of_the_values_drawn(size: int, seed: int, share: float) -> None:
    random = np.random.default_rng(seed)
    waits = np.round(random.lognormal(6, 0.4, 4 + size))
    scenario = np.concatenate([np.arange(4), random.integers(0, 4, size)])
    counts = draw(4, random, draws=20)
    found = quantiles(waits, scenario, share, counts)
    for row, each in zip(counts, found, strict=True):
        drawn = np.repeat(waits, row[scenario])
        assert each == np.quantile(drawn, share, method="inverted_cdf")


def test_wilson_is_the_published_interval() -> None:
    # Newcombe 1998, Statistics in Medicine 17, 857-872, table I: 81 of 263
    assert wilson(81, 263, 0.95) == pytest.approx((0.2553, 0.3662), abs=0.0001)
    assert wilson(0, 20, 0.95) == pytest.approx((0, 0.1611), abs=0.0001)


def test_newcombe_is_the_published_interval() -> None:
    # Newcombe 1998, Statistics in Medicine 17, 873-890, method 10: 56 of 70 less 48 of 80
    a, b = sums([48], [80], 80), sums([56], [70], 70)
    assert newcombe(a, b, 0.95) == pytest.approx((5.24, 33.39), abs=0.01)


def test_nothing_failed_does_not_mean_that_nothing_can() -> None:
    none = sums([0] * 10, [20] * 10)
    found = known(rate(none, none, 10, 0.95, "x"))
    assert found.difference == 0
    assert found.p == 1
    assert found.low == pytest.approx(-7.1, abs=0.1)  # 50 runs, not 200 calls
    assert found.high == pytest.approx(7.1, abs=0.1)


def test_a_rate_is_found_by_swapping_names_of_arms() -> None:
    a, b = sums([0] * 10, [20] * 10), sums([2] * 10, [20] * 10)
    assert known(rate(a, b, 10, 0.95, "x")).p == pytest.approx(1 / 2**10)  # 2 of 1024, half of each
    few_a, few_b = sums([0] * 4, [20] * 4), sums([2] * 4, [20] * 4)
    assert known(rate(few_a, few_b, 4, 0.95, "x")).p > 0.05  # too few scenarios to say so


def test_many_scenarios_are_swapped_at_random() -> None:
    a, b = sums([0] * 20, [20] * 20), sums([2] * 20, [20] * 20)
    assert known(rate(a, b, 20, 0.95, "x")).p < 0.001


@pytest.mark.parametrize(
    ("numerator", "denominator"), [([0.0, 0.0], [1.0, 1.0]), ([1.0, 1.0], [0.0, 0.0])]
)
def test_a_ratio_of_nothing_is_refused(numerator: list[float], denominator: list[float]) -> None:
    other = sums([1, 2], [1, 1])
    assert isinstance(ratio(other, sums(numerator, denominator), 2, 0.95, "x"), Refused)


def test_a_ratio_that_rests_on_one_scenario_is_refused() -> None:
    found = ratio(sums([1, 1, 1], [1, 1, 1]), sums([1, 1, 1], [1, 0, 0]), 3, 0.95, "x")
    assert isinstance(found, Refused)
    assert "0 in too many scenarios" in found.reason


def test_an_arm_without_an_occasion_has_no_rate() -> None:
    assert isinstance(rate(sums([0], [0]), sums([1], [2]), 1, 0.95, "x"), Refused)


@pytest.mark.parametrize("of", [waits, bills])
def test_swapping_arms_mirrors_the_difference(of: Callable[..., tuple[object, object]]) -> None:
    a, b = of(Shape(), np.random.default_rng(3))
    statistic = log_median if of is waits else lambda *args: ratio(*args, "x")  # type: ignore[misc]
    there, back = (known(statistic(*pair, 10, 0.95)) for pair in ((a, b), (b, a)))  # type: ignore[arg-type]
    assert np.log1p(there.difference / 100) == pytest.approx(-np.log1p(back.difference / 100))
    assert there.p == pytest.approx(back.p)
