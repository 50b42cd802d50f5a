"""Sequences aligned: nothing crosses, nothing is used twice, and what is alike is found."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from replay.diff import align as module
from replay.diff.align import Key, Pair, align


def keys(text: str) -> list[Key]:
    """One element a letter; capital letters are of one sort, small ones of another."""
    return [Key("upper" if letter.isupper() else "lower", letter) for letter in text]


def aligned(a: str, b: str) -> list[Pair]:
    return align(keys(a), keys(b), lambda at, to: 1.0 if a[at] == b[to] else 0.1)


def test_equal_sequences_are_paired_whole() -> None:
    assert aligned("abc", "abc") == [(0, 0), (1, 1), (2, 2)]
    assert aligned("", "abc") == []


def test_an_insertion_leaves_the_rest_in_place() -> None:
    assert aligned("abc", "abxc") == [(0, 0), (1, 1), (2, 3)]
    assert aligned("aabaa", "aaa") == [(0, 0), (1, 1), (4, 2)]


def test_a_changed_element_is_paired_with_one_of_its_sort() -> None:
    assert aligned("aXb", "aYb") == [(0, 0), (1, 1), (2, 2)]
    assert aligned("aXb", "ayb") == [(0, 0), (2, 2)]


def test_what_is_most_alike_is_paired() -> None:
    assert aligned("xyxy", "yx") == [(1, 0), (2, 1)]


@given(st.text("abAB", max_size=14), st.text("abAB", max_size=14))
def test_pairs_never_cross_and_are_of_one_sort(a: str, b: str) -> None:
    found = aligned(a, b)
    assert all(
        one < two
        for pair, then in itertools.pairwise(found)
        for one, two in zip(pair, then, strict=True)
    )
    assert all(a[at].isupper() == b[to].isupper() for at, to in found)


@given(st.text("abcdefgh", max_size=30), st.integers(0, 30), st.text("XYZ", max_size=3))
def test_an_insertion_anywhere_loses_nothing(text: str, at: int, extra: str) -> None:
    found = aligned(text, text[:at] + extra + text[at:])
    assert [pair for pair, _ in found] == list(range(len(text)))


def test_long_stretches_without_anchors_are_paired_by_counting() -> None:
    count = module._CELLS // 100
    a, b = "ab" * count, "ba" * count
    found = aligned(a, b)
    assert len(found) >= count
    assert all(a[at] == b[to] for at, to in found)
