"""Where two providers cost the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.decision.breakeven import Curve, Kind, months_to_pay_back

CURVE = Curve(0.10, (Kind(1000, 600, 32e-6, 0.4e-6), Kind(500, 0, 4e-6, 0.4e-6)), 2.0)


def test_a_minute_as_measured() -> None:
    assert CURVE.measured == pytest.approx(0.4)
    assert CURVE.per_minute(0) == pytest.approx((0.10 + 0.032 + 0.002) / 2)
    assert CURVE.per_minute(1) == pytest.approx((0.10 + 0.0004 + 0.0002) / 2)


@given(st.floats(0, 1))
def test_the_even_share_is_where_the_cost_is_the_same(share: float) -> None:
    assert CURVE.even_at(CURVE.per_minute(share)) == pytest.approx(share, abs=1e-9)


def test_there_may_be_no_such_share() -> None:
    assert CURVE.even_at(1.0) is None
    assert CURVE.even_at(0.001) is None
    assert Curve(0.1, (), 1.0).even_at(0.1) is None
    assert Curve(0.1, (), 1.0).measured is None


def test_months_until_an_effort_has_paid() -> None:
    assert months_to_pay_back(5000, 250) == 20
    assert months_to_pay_back(5000, 0) is None
    assert months_to_pay_back(5000, -10) is None
