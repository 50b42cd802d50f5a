"""Student's t against the tables that every textbook has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.comparison.student import critical, two_sided, within


@pytest.mark.parametrize(
    ("freedom", "table"),
    [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (9, 2.262), (10, 2.228), (30, 2.042)],
)
def test_critical_values_are_those_of_the_table(freedom: int, table: float) -> None:
    assert critical(0.95, freedom) == pytest.approx(table, abs=0.0005)


def test_other_confidences() -> None:
    assert critical(0.99, 9) == pytest.approx(3.250, abs=0.0005)
    assert critical(0.90, 19) == pytest.approx(1.729, abs=0.0005)


@given(st.floats(0.5, 0.999), st.integers(1, 200))
def test_the_critical_value_is_where_the_share_lies(confidence: float, freedom: int) -> None:
    assert within(critical(confidence, freedom), freedom) == pytest.approx(confidence, abs=1e-9)


def test_the_sign_of_t_does_not_matter_to_p() -> None:
    assert two_sided(-2.262, 9) == two_sided(2.262, 9) == pytest.approx(0.05, abs=1e-4)
    assert two_sided(0, 9) == 1
