"""What a user's rules accept, and what the suggested ones do."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from thoroughness import examples

from recorder.providers import PROVIDERS
from replay.match.compare import Difference, Matcher
from replay.match.rulebook import Rulebook
from replay.match.rules import Wild, parse_rules

RULES = PROVIDERS["openai"].RULES
TYPE = "session.update"


def matcher(*rules: str, minted: frozenset[str] = frozenset()) -> Matcher:
    return Matcher(Rulebook(RULES, parse_rules(rules, "rules.txt")), minted)


def compare(one: Matcher, want: Any, got: Any) -> Difference | None:
    return one.match(TYPE, *(json.dumps({"type": TYPE, **side}).encode() for side in (want, got)))


def differs(rule: str, want: Any, got: Any) -> bool:
    """Whether `got` is refused for `want` at `$.x`."""
    sides = [{} if side is ... else {"x": side} for side in (want, got)]
    return compare(matcher(rule), *sides) is not None


NOTHING: Any = ...


@pytest.mark.parametrize(
    ("rule", "want", "got", "refused"),
    [
        ("ignore $.x", "a", "b", False),
        ("ignore $.x", "a", 5, False),
        ("ignore $.x", "a", NOTHING, False),
        ("ignore $.x", NOTHING, "a", False),
        ("ignore $.x", {"a": 1}, {"a": 2}, True),
        ("ignore $.x", NOTHING, {"a": 2}, True),
        ("!ignore $.x", {"a": 1}, {"b": [2]}, False),
        ("!ignore $.x", NOTHING, {"a": 2}, False),
        ("any $.x", "a", "b", False),
        ("any $.x", 1, 2.5, False),
        ("any $.x", True, False, False),
        ("any $.x", "a", 1, True),
        ("any $.x", True, 1, True),
        ("any $.x", "a", None, True),
        ("any $.x", "a", NOTHING, True),
        ("any $.x", NOTHING, "a", True),
        ("any $.x", [1], [2], True),
        ("!any $.x", [1], [2, 3], False),
        ("!any $.x", [1], {"a": 2}, True),
        ("regex $.x [a-z]+", "a", "b", False),
        ("regex $.x [a-z]+", "a", "b1", True),
        ("regex $.x [a-z]+", "A1", "b", False),
        ("regex $.x [a-z]+", "a1", "a1", True),
        ("regex $.x [0-9]+", 1, 2, True),
        ("regex $.x a.b", "a", "a\nb", False),
        ("regex $.x [a-z]+", "a", NOTHING, True),
        ("approx $.x 0.05", 0.5, 0.55, False),
        ("approx $.x 0.05", 0.5, 0.5501, True),
        ("approx $.x 0.05", 0.5, 0.4499, True),
        ("approx $.x 10%", -100, -110, False),
        ("approx $.x 10%", 100, 111, True),
        ("approx $.x 1", 1, "1", True),
        ("approx $.x 0", 1, 1.0, False),
        ("unordered $.x", [1, 2, 2], [2, 1, 2], False),
        ("unordered $.x", [1, 2, 2], [2, 1, 1], True),
        ("unordered $.x", [1, 2], [1, 2, 3], True),
        ("unordered $.x", [{"a": 1}, {"a": 2}], [{"a": 2}, {"a": 1}], False),
        ("unordered $.x", "a", "b", True),
        ("any $.*", "a", "b", False),
        ("any **.x", "a", "b", False),
        ("any other.type:$.x", "a", "b", True),
        ("any session.update:$.x", "a", "b", False),
    ],
)
def test_verbs(rule: str, want: Any, got: Any, refused: bool) -> None:
    assert differs(rule, want, got) is refused


def test_huge_numbers_are_compared_and_do_not_overflow() -> None:
    body = b'{"type":"session.update","x":1e%d}'
    one = matcher("approx $.x 50%")
    assert one.match(TYPE, body % 999_999_999, body % 999_999_999) is None
    assert one.match(TYPE, body % 999_999_999, body % 999_999_998) is not None


def test_the_last_rule_for_a_place_holds() -> None:
    assert compare(matcher("any $.x", "regex $.x a+"), {"x": "a"}, {"x": "b"})
    assert compare(matcher("regex $.x a+", "any $.x"), {"x": "a"}, {"x": "b"}) is None


def test_an_index_is_one_element_and_a_star_is_each() -> None:
    want, got = {"x": [{"a": 1}, {"a": 1}]}, {"x": [{"a": 1}, {"a": 2}]}
    assert compare(matcher("any $.x[1].a"), want, got) is None
    assert compare(matcher("any $.x[*].a"), want, got) is None
    assert compare(matcher("any $.x[0].a"), want, got)


def test_a_refusal_names_the_rule_and_what_it_would_have_taken() -> None:
    found = compare(matcher("approx $.x 0.05"), {"x": 0.5}, {"x": 0.6})
    assert found
    assert found.expected == "0.5 ± 0.05, by the rule approx $.x 0.05"
    assert found.accept == "approx session.update:$.x 0.1"


def test_rules_below_an_unordered_list_hold_for_the_element_on_the_tape() -> None:
    want = {"x": [{"id": 1, "n": "a"}, {"id": 2, "n": "b"}]}
    got = {"x": [{"id": 2, "n": "z"}, {"id": 1, "n": "a"}]}
    found = compare(matcher("unordered $.x"), want, got)
    assert found
    assert found.path == "$.x[1].n"
    assert compare(matcher("unordered $.x", found.accept), want, got) is None


def test_an_id_that_a_rule_takes_is_still_followed_into_the_answers() -> None:
    want = {"type": "conversation.item.create", "item": {"id": "one"}}
    got = {"type": "conversation.item.create", "item": {"id": "two"}}
    for rule in ("any $.item.id", "ignore $.item.id", "regex $.item.id t.*"):
        one = matcher(rule, minted=frozenset({"one"}))
        sides = (json.dumps(side).encode() for side in (want, got))
        assert one.match("conversation.item.create", *sides) is None
        assert one.bindings.renamed == {"one": "two"}


def test_rules_that_held_nowhere_are_known() -> None:
    rules = ("any $.x", "any $.y", "any other:$.x", "ignore $.z")
    one = matcher(*rules)
    assert compare(one, {"x": 1, "z": 1}, {"x": 2}) is None
    assert list(map(str, one.unused())) == ["any $.y", "any other:$.x"]


def test_a_comparison_that_failed_applies_no_rule() -> None:
    one = matcher("any $.x")
    assert compare(one, {"x": 1, "y": 1}, {"x": 2, "y": 2})
    assert list(map(str, one.unused())) == ["any $.x"]


def test_a_rule_also_holds_for_equal_bytes() -> None:
    one = matcher("any $.x")
    assert compare(one, {"x": 1}, {"x": 1}) is None
    assert one.unused() == []


# Suggestions

KEYS = st.text(max_size=4) | st.sampled_from(["a", "b", "*", "**", "a.b", "[0]", "x y", "$"])
LEAVES = (
    st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=4)
    | st.floats(allow_nan=False, allow_infinity=False) | st.integers()
)  # fmt: skip
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
Place = tuple[str | int, ...]


def places(value: Any, path: Place = ()) -> list[Place]:
    """Every place below the root."""
    found = [path] if path else []
    if isinstance(value, (dict, list)):
        items: Any = value.items() if isinstance(value, dict) else enumerate(value)
        found += [each for key, inner in items for each in places(inner, (*path, key))]
    return found


def replaced(value: Any, path: Place, new: Any) -> Any:
    """`value` with `new` at a place; without what stands there if `new` is `...`."""
    copy = dict(value) if isinstance(value, dict) else list(value)
    if len(path) == 1 and new is ...:
        del copy[path[0]]
    else:
        copy[path[0]] = new if len(path) == 1 else replaced(copy[path[0]], path[1:], new)
    return copy


@settings(max_examples=examples(300))
@given(st.dictionaries(KEYS, TREES, min_size=2, max_size=4), st.data())
def test_a_suggested_rule_takes_exactly_its_difference(tree: Any, data: st.DataObject) -> None:
    want = {"x": tree}
    one = data.draw(st.sampled_from([each for each in places(want) if len(each) > 1]))
    got = replaced(want, one, data.draw(st.just(NOTHING) | TREES))
    found = compare(matcher(), want, got)
    if found is None:  # the same value again, or null for absent
        return
    taught = matcher(found.accept)
    second = compare(taught, want, got)
    assert second is None or second.path != found.path
    (rule,) = taught.book.own
    assert not any(isinstance(key, Wild) for key in rule.path)
    other = data.draw(st.sampled_from([each for each in places(want) if len(each) > 1]))
    if other[: len(rule.path)] == rule.path or rule.path[: len(other)] == other:
        return  # the place itself, what is below it, or what holds it
    if isinstance(other[-1], int):
        return  # taking an element out moves those after it to other places
    elsewhere = replaced(want, other, NOTHING)
    plain = compare(matcher(), want, elsewhere)
    again = compare(matcher(found.accept), want, elsewhere)
    assert again == plain, "a sibling is judged as without the rule"


@given(TREES, TREES)
def test_applying_what_is_suggested_again_and_again_comes_to_an_end(tree: Any, other: Any) -> None:
    rules: list[str] = []
    while (found := compare(matcher(*rules), {"x": tree}, {"x": other})) is not None:
        assert found.accept, found
        assert found.accept not in rules
        rules.append(found.accept)
    assert len(rules) <= 40


def test_numbers_get_a_tolerance_and_other_values_any() -> None:
    def accept(want: Any, got: Any) -> str:
        sides = [{} if side is ... else {"x": side} for side in (want, got)]
        found = compare(matcher(), *sides)
        assert found
        return found.accept

    assert accept(0.5, 0.55) == "approx session.update:$.x 0.05"
    assert accept(200, 180) == "approx session.update:$.x 20"
    assert accept(1e300, 1e-300) == "any session.update:$.x"
    assert accept("a", "b") == "any session.update:$.x"
    assert accept("a", 1) == "ignore session.update:$.x"
    assert accept("a", NOTHING) == "ignore session.update:$.x"
    assert accept("a", ["b"]) == "!ignore session.update:$.x"
    assert accept(NOTHING, {"b": 1}) == "!ignore session.update:$.x"


def test_no_rule_takes_a_whole_message() -> None:
    found = matcher().match("x", b"[1]", b'{"a":1}')
    assert found
    assert found.accept == ""
