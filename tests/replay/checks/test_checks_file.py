"""A file of checks that is wrong is refused in one line that names the key and what is valid."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.checks import KINDS, CheckFileError, parse
from replay.checks.matchers import at, holds, matcher
from replay.match.rules import parse_rule


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "checks.toml has no checks; one begins with [[check]]"),
        ("[[check]", "checks.toml is not TOML"),
        ("[[checks]]\n", "checks.toml: unknown key 'checks'; a check begins with [[check]]"),
        ("check = [1]", "checks.toml, check 1 is no table"),
        ("[[check]]\nsay = 'x'", "checks.toml, check 1 has no kind: give one of event, no_event"),
        ("[[check]]\nturns = 1\ncount = 'x'", "has turns and count: give one of"),
        (
            "[[check]]\nturns = 1\n[[check]]\ncalls = 'x'\narg = { a = 1 }",
            "checks.toml, check 2 (calls): unknown key 'arg'; valid are "
            "args, calls, exact, name, output, turn",
        ),
        ("[[check]]\ncalls = ''", "check 1 (calls): calls is empty"),
        ("[[check]]\ncalls = 3", "check 1 (calls): calls has to be a text"),
        ("[[check]]\ncalls = 'x'\nturn = 0", "turn has to be a whole number from 1 on"),
        ("[[check]]\ncalls = 'x'\nexact = false", "exact has to be true; leave the check out"),
        ("[[check]]\ncalls = 'x'\nargs = 3", "args has to be a table of values by JSON path"),
        (
            "[[check]]\ncalls = 'x'\nargs = { a = { is = 3 } }",
            "args.a: unknown condition 'is'; valid are equals, contains, regex",
        ),
        (
            "[[check]]\ncalls = 'x'\nargs = { a = { approx = 3 } }",
            "approx needs a number",
        ),
        (
            "[[check]]\ncalls = 'x'\nargs = { a = 2027-08-06 }",
            "no dates: write 2027-08-06",
        ),
        ("[[check]]\nevent = 'x'\nwhere = { a = { regex = '(' } }", "where.a: "),
        ("[[check]]\nevent = 'x'\nwhere = { 'a b:' = 1 }", "'a b:' is no path: write it as"),
        ("[[check]]\nevent = 'x'\nafter = 'y'", "after goes with within_ms"),
        (
            "[[check]]\nevent = 'x'\nsender = 'me'",
            "sender is 'me'; valid are client,",
        ),
        ("[[check]]\norder = ['x']", "order needs two types or more"),
        (
            "[[check]]\nsays = { has = 'x' }",
            "says: unknown key 'has'; valid are all,",
        ),
        ("[[check]]\nsays = {}", "says needs one of contains, all, any, none, regex"),
        ("[[check]]\ncount = 'x'", "check 1 (count): give min, max, or both"),
        ("[[check]]\nturns = { most = 3 }", "turns: give min, max, or both"),
        (
            "[[check]]\nturns = { max = 3, most = 3 }",
            "turns: unknown key 'most'; valid are",
        ),
        ("[[check]]\nturns = true", "turns has to be a number"),
        ("[[check]]\nlatency_ms = {}", "give at least one of min, max, p50, p90"),
        ("[[check]]\nlatency_ms = 3", "latency_ms has to be a table"),
        ("[[check]]\nlatency_ms = { max = 3 }\nto = 'x'", "to is 'x'; valid are first_audio"),
        ("[[check]]\nno_errors = ['x']", "no_errors is 'x'; valid are auth"),
        ("[[check]]\nresponse_status = 'x'", "response_status is 'x'; valid are completed"),
        (
            "[[check]]\nmetric = 'v2v'\nmax = 1",
            "check 1 (metric): there is no metric 'v2v'; near are v2v_ms",
        ),
        (
            "[[check]]\ncalls = 'x'\nargs = { contains = 'y' }",
            "args has conditions (contains) and no key that they are of: write args = ",
        ),
        ("[[check]]\nended_by = 'me'", "ended_by is 'me'; valid are client, provider"),
    ],
)
def test_it_is_refused(text: str, error: str) -> None:
    with pytest.raises(CheckFileError) as caught:
        parse(text, "checks.toml")
    assert error in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_check_has_its_own_name_or_what_it_says() -> None:
    text = "[[check]]\nname = 'greets'\nsays = 'hello'\n[[check]]\nturns = { min = 1, max = 2 }"
    assert [each.name for each in parse(text, "x")] == ["greets", "turns min 1, max 2"]
    assert [each.kind for each in parse(text, "x")] == ["says", "turns"]


@pytest.mark.parametrize(
    ("wanted", "fits", "misses"),
    [
        (2, [2, 2.0], [3, True, "2", None]),
        (True, [True], [1, "true"]),
        ([1, "a"], [[1, "a"]], [[1], ["a", 1]]),
        ({"contains": "New"}, ["a new day"], ["nothing", 3]),
        ({"regex": "^a.c"}, ["abcd"], ["xabc", None]),
        ({"one_of": [1, "b"]}, [1, "b"], [2]),
        ({"approx": 10, "within": 2}, [8, 12, 10.5], [12.1, "10", True]),
        ({"min": 1, "max": 3}, [1, 3], [0, 4, "2"]),
        ({"equals": "x"}, ["x"], ["y"]),
    ],
)
def test_conditions(wanted: object, fits: list[object], misses: list[object]) -> None:
    made = matcher(wanted)
    assert all(made.takes(each) for each in fits)
    assert not any(made.takes(each) for each in misses)


def test_paths_reach_into_lists_and_below_stars() -> None:
    value = {"a": [{"b": 1}, {"b": 2}], "c": {"d": {"b": 3}}}

    def found(path: str) -> list[object]:
        return list(at(value, parse_rule(f"any {path}", "test").path))

    assert found("a[1].b") == [2]
    assert found("$.a.*.b") == [1, 2]
    assert found("$.**.b") == [1, 2, 3]
    assert found("a[5]") == found("a.x") == found("c.d.b.e") == []
    path = parse_rule("any $.**.b", "test").path
    assert holds(value, path, matcher(3))
    assert not holds(value, path, matcher(4))
    assert holds(value, parse_rule("any $.z", "test").path, matcher({"exists": False}))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3),
        max_leaves=6,
    )
)
def test_a_value_fits_itself(value: object) -> None:
    assert matcher(value).takes(value)


DOCUMENT = (Path(__file__).parents[3] / "docs" / "checks.md").read_text("utf-8")


def test_the_document_has_every_kind_and_its_example_is_taken() -> None:
    assert set(re.findall(r"^\| `(\w+) = ", DOCUMENT, re.M)) == set(KINDS)
    example = re.search(r"```toml\n(.*?)```", DOCUMENT, re.S)
    assert example
    assert [each.kind for each in parse(example[1], "docs")] == ["calls", "says", "latency_ms"]
