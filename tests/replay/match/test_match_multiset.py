"""Pairs of two lists."""

from __future__ import annotations

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from replay.match.multiset import pair


@given(st.lists(st.lists(st.booleans(), min_size=4, max_size=4), max_size=5))
def test_no_other_choice_pairs_more(table: list[list[bool]]) -> None:
    found = pair(len(table), 4, lambda one, other: table[one][other])
    assert all(table[one][other] for one, other in found.items())
    assert len(set(found.values())) == len(found)
    places = [*range(4), *[None] * len(table)]
    most = max(
        sum(other is not None and table[one][other] for one, other in enumerate(choice))
        for choice in permutations(places, len(table))
    )
    assert len(found) == most


def test_elements_at_the_same_place_belong_together_where_they_can() -> None:
    assert pair(3, 3, lambda one, other: True) == {0: 0, 1: 1, 2: 2}
