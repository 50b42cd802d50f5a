"""Numbers with what they count."""

from __future__ import annotations

from decimal import Decimal

import pytest

from recorder.counting import counted


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "0 runs"),
        (1, "1 run"),
        (2, "2 runs"),
        (Decimal(1), "1 run"),
        (Decimal("1.5"), "1.5 runs"),
    ],
)
def test_only_one_is_not_many(number: int | Decimal, said: str) -> None:
    assert counted(number, "run") == said


def test_a_plural_of_its_own_and_groups_of_thousands() -> None:
    assert counted(2, "reply", "replies") == "2 replies"
    assert counted(1, "reply", "replies") == "1 reply"
    assert counted(12_345, "event", form=",") == "12,345 events"
