"""Which runs may be compared."""

from __future__ import annotations

import pytest

from recorder.trial.validity import problems

GOOD = {"pacing_error_p99_ms": 2.0, "realtime_ratio": 1.0}


def test_a_run_that_kept_time_and_came_to_its_end_is_valid() -> None:
    assert problems(GOOD, 12.0, 3, 3) == []


@pytest.mark.parametrize(
    ("change", "stall_ms", "delivered", "told"),
    [
        ({"pacing_error_p99_ms": 10.0}, 0.0, 3, "10.0 ms off its time"),
        ({"realtime_ratio": 1.02}, 0.0, 3, "ran at 1.020 of real time"),
        ({}, 51.0, 3, "stood still for 51 ms"),
        ({}, 0.0, 2, "2 of 3 turns delivered"),
    ],
)
def test_each_rule_excludes_by_itself(
    change: dict[str, float], stall_ms: float, delivered: int, told: str
) -> None:
    [found] = problems(GOOD | change, stall_ms, delivered, 3)
    assert told in found


def test_a_pace_that_was_not_measured_is_no_good_pace() -> None:
    assert len(problems({}, 0.0, 3, 3)) == 1
