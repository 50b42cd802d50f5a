"""A comparison in words."""

from __future__ import annotations

from typing import Any

import pytest
from compared_trial import Arm, Made, fill

from recorder.comparison.comparing import compare
from recorder.comparison.criteria import shipped
from recorder.comparison.gather import gather
from recorder.comparison.result import Comparison, Effect, Exclusion
from recorder.comparison.sentences import interval, quantity
from recorder.comparison.text import lines
from recorder.store.memory import MemoryStore


def plain(text: str, **_: Any) -> str:
    return text


@pytest.fixture(scope="module")
def compared() -> Comparison:
    """Of 12 scenarios three runs stalled, and those were slow."""

    def stall(made: Made) -> None:
        if made.key[:2] == ("openai", "scenario-03"):
            made.stall_ms, made.v2v_ms = 120.0, [9_000.0] * 6

    store = MemoryStore()
    arms = (Arm("vapi"), Arm("openai", latency_ms=500))
    fill(store, arms, scenarios=12, repeats=3, change=stall)
    return compare(gather(store, "switch", lambda kept: True), shipped(), "before")


def test_what_has_to_be_known_comes_first(compared: Comparison) -> None:
    told = list(lines(compared, plain, None))
    assert told[: len(compared.warnings)] == list(compared.warnings)
    assert told[0].startswith("SIMULATED: ")
    assert "trial switch: 12 scenarios × 3 runs, 2026-05-28" in told
    [excluded] = [line for line in told if line.startswith("excluded: ")]
    assert excluded.startswith("excluded: openai, stall: 3 (")


def test_each_family_has_its_table(compared: Comparison) -> None:
    told = "\n".join(lines(compared, plain, None))
    gate, primary, exploratory = (told.index(word) for word in ("Gates:", "Primary:", "Explora"))
    assert gate < told.index("task success") < primary < exploratory
    assert "  better " in told[primary:exploratory]


def test_what_the_excluded_runs_would_change_is_told(compared: Comparison) -> None:
    found = compared.pairs[0].findings[1]
    assert (found.verdict, found.verdict_all) == ("better", "inconclusive")
    told = "\n".join(lines(compared, plain, None))
    assert (
        "With the excluded runs voice-to-voice, median would be inconclusive, not better: " in told
    )


def test_without_excluded_runs_nothing_is_said_of_them(compared: Comparison) -> None:
    found = compared._replace(exclusions=(Exclusion("vapi", "not held", 1, ("x",)),))
    assert "With the excluded runs" not in "\n".join(lines(found, plain, None))


def test_nothing_is_wider_than_the_terminal_but_what_is_a_sentence(compared: Comparison) -> None:
    for line in lines(compared, plain, 90):
        assert len(line) <= 92 or ":" in line


def test_a_reason_is_told_once(compared: Comparison) -> None:
    [told] = [line for line in lines(compared, plain, None) if "evidence of it in 0" in line]
    assert "false stops, dead air: both arms" in told


@pytest.mark.parametrize(
    ("value", "unit", "told"),
    [
        (1973.4, "ms", "+1973 ms"),
        (-0.05, "usd", "-$0.05"),
        (0.0664, "usd/min", "+$0.0664/min"),
        (-3.14, "%", "-3.1 %"),
        (0.0, "points", "0.0 points"),
        (0.25, "ratio", "+0.25 ratio"),
    ],
)
def test_quantities(value: float, unit: str, told: str) -> None:
    assert quantity(value, unit, sign=True) == told


def test_an_interval_names_its_unit_once() -> None:
    assert interval(Effect(0, -12, 3, 1, 1, 9, "t"), "ms") == "-12 … +3 ms"
