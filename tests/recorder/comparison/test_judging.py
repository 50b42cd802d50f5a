"""From intervals to verdicts."""

from __future__ import annotations

from math import sqrt
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.comparison.estimating import NEWCOMBE, Measured, newcombe_of
from recorder.comparison.judging import gate, holm, needed, verdict
from recorder.comparison.result import Criterion, Effect, Estimate, Family, Finding, Verdict
from recorder.comparison.student import critical

CRITERION = Criterion("wait", "primary", "v2v_ms", "quantile", 0.5, "lower", 100, "ms", "ms")


def effect(low: float, high: float, p: float = 0.001) -> Effect:
    return Effect((low + high) / 2, low, high, p, p, 10, "t")


def finding(family: Family, low: float, high: float) -> Finding:
    nothing = Estimate("x", None, 0, 0)
    one = CRITERION._replace(family=family)
    found = effect(low, high)
    told = verdict(found, one, 0.95)
    return Finding(one, nothing, nothing, found, told, None, None, found, told, "", "")


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [
        (-300, -150, "better"),
        (-300, -100, "better"),
        (-300, -50, "better-size-uncertain"),
        (150, 300, "worse"),
        (50, 300, "worse-size-uncertain"),
        (-90, 90, "equivalent"),
        (20, 90, "equivalent"),
        (-300, 50, "inconclusive"),
        (-100, 50, "inconclusive"),
        (-500, 500, "inconclusive"),
    ],
)
def test_the_rule(low: float, high: float, told: Verdict) -> None:
    assert verdict(effect(low, high), CRITERION, 0.95) == told
    mirrored: Literal["higher"] = "higher"
    upside_down = CRITERION._replace(better=mirrored)
    assert verdict(effect(-high, -low), upside_down, 0.95) == told


def test_what_holm_does_not_let_pass_is_not_shown() -> None:
    assert verdict(effect(-300, -150, p=0.06), CRITERION, 0.95) == "inconclusive"
    assert verdict(effect(-90, -10, p=0.06), CRITERION, 0.95) == "equivalent"


def test_holm_is_the_published_example() -> None:
    # Holm 1979: the smallest of four is multiplied by 4, the next by 3, and none is below another
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_keeps_the_order_and_never_helps(values: list[float]) -> None:
    found = holm(values)
    assert all(before <= after <= 1 for before, after in zip(values, found, strict=True))
    order = sorted(range(len(values)), key=lambda at: values[at])
    assert [found[at] for at in order] == sorted(found)
    assert min(found) <= min(1, len(values) * min(values))


def test_a_gate_is_passed_where_nothing_is_worse_by_its_margin() -> None:
    assert gate([finding("primary", 150, 300)]) == "none"
    assert gate([finding("gate", -50, 90)]) == "passed"
    assert gate([finding("gate", -50, 90), finding("gate", 50, 150)]) == "open"
    assert gate([finding("gate", -50, 150), finding("gate", 150, 300)]) == "failed"
    silent = finding("gate", 0, 0)._replace(effect=None, verdict="not-estimable")
    assert gate([silent]) == "open"


def test_how_many_scenarios_it_takes() -> None:
    # four out of five at 95 %, 80 degrees of freedom: (1.990 + 0.846)^2 = 8.04 squared standard
    # errors a squared margin
    found = Measured(800, 800, 0, -300, 300, 1, 100, False, 10, "t")
    assert needed(found, CRITERION, 0.95, 5).scenarios == 81
    assert needed(found, CRITERION, 0.95, 5).runs == 405
    precise = found._replace(error=20.0)
    assert needed(precise, CRITERION, 0.95, 5).scenarios == 11  # one more at least


def test_few_scenarios_need_more_than_the_normal_says() -> None:
    # 2.3 by the normal; with 5 scenarios t is 2.78 + 0.94, which asks for 4.15
    found = Measured(800, 800, 0, -99, 99, 1, 100 * 0.1**0.5, False, 3, "t")
    assert needed(found, CRITERION, 0.95, 5).scenarios == 5


def test_what_is_adjusted_needs_more() -> None:
    found = Measured(800, 800, 0, -300, 300, 1, 100, False, 10, "t")
    # at 98.3 %: (2.44 + 0.85)^2 = 10.8
    assert needed(found, CRITERION, 0.95, 5, family=3).scenarios == 108


@pytest.mark.parametrize("family", [1, 3])
@pytest.mark.parametrize("deviation", [120.0, 250.0])
def test_four_of_five_trials_of_that_size_show_the_margin(deviation: float, family: int) -> None:
    found = Measured(0, 0, 0, -1, 1, 1, deviation / sqrt(5), False, 5, "t")
    size = needed(found, CRITERION, 0.95, 1, family).scenarios
    trials = np.random.default_rng(1).normal(CRITERION.margin, deviation, (10_000, size))
    t = trials.mean(1) / (trials.std(1, ddof=1) / sqrt(size))
    shown = float((t > critical(1 - 0.05 / family, size - 1)).mean())
    assert 0.79 < shown < 0.84


def test_a_rate_needs_as_many_scenarios_as_there_have_to_be_ways_to_swap() -> None:
    found = Measured(5, 5, 0, -1, 1, 1, 0.1, False, 2, "t")
    rate = CRITERION._replace(statistic="rate")
    assert needed(found, CRITERION, 0.95, 5).scenarios == 3
    assert needed(found, rate, 0.95, 5).scenarios == 5
    assert needed(found, rate, 0.95, 5, family=3).scenarios == 6


def test_rates_that_do_not_spread_need_an_interval_within_the_margin() -> None:
    # both arms at 100 %: z^2 / (n + z^2) is below 5 % from 73 runs on
    found = Measured(100, 100, 0, -56, 56, 1, 0, False, 2, NEWCOMBE)
    rate = CRITERION._replace(statistic="rate", margin=5)
    assert needed(found, rate, 0.95, 1).scenarios == 73
    assert needed(found, rate, 0.95, 5).scenarios == 15
    low, high = newcombe_of((1, 1), (73, 73), 0.95)
    assert -5 < low < high < 5
