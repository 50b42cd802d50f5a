"""How an agent takes what is said while it speaks."""

from __future__ import annotations

from recorder.comparison.stimuli import Stimulus, false_stops, yields

CUT_IN = Stimulus("yield", 10_000, 1500, True)
COUGH = Stimulus("ignore", 20_000, 300, True)


def test_an_agent_yields_within_2_s_of_the_begin() -> None:
    assert yields([CUT_IN], [10_800]) == (1, 1)
    assert yields([CUT_IN], [12_000]) == (1, 1)
    assert yields([CUT_IN], [12_001]) == (0, 1)
    assert yields([CUT_IN], [9_999]) == (0, 1)


def test_a_false_stop_comes_within_1_s_of_the_end() -> None:
    assert false_stops([COUGH], [21_300]) == (1, 1)
    assert false_stops([COUGH], [21_301]) == (0, 1)


def test_an_agent_that_was_silent_was_not_tried() -> None:
    assert yields([CUT_IN._replace(over_agent=False)], [10_800]) == (0, 0)


def test_each_is_about_its_own_kind() -> None:
    assert yields([COUGH], [20_100]) == (0, 0)
    assert false_stops([CUT_IN], [10_100]) == (0, 0)
