"""The grammar of rules."""

from __future__ import annotations

import json
import pathlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.errors import RecorderError
from replay.match.rules import VERBS, Path, Rule, Wild, parse_rule, parse_rules

ONE, MANY = Wild.ONE, Wild.MANY


@pytest.mark.parametrize(
    ("text", "type_", "path", "argument"),
    [
        ("any $.a.b", None, ("a", "b"), ""),
        ("any a.b", None, ("a", "b"), ""),
        ("any session.update:$.a[0].b", "session.update", ("a", 0, "b"), ""),
        ("any session.update:a.0", "session.update", ("a", "0"), ""),
        ("ignore POST /call/{id}:$.body.x", "POST /call/{id}", ("body", "x"), ""),
        ("any **.id", None, (MANY, "id"), ""),
        ("any $.a.*.b[*]", None, ("a", ONE, "b", ONE), ""),
        ('any $["a key"].b["*"]', None, ("a key", "b", "*"), ""),
        ('any "odd: type":$.x', "odd: type", ("x",), ""),
        ("approx t:$.x 0.05", "t", ("x",), "0.05"),
        ("approx t:$.x 5%", "t", ("x",), "5%"),
        ("regex t:$.x [a-z]+: .*", "t", ("x",), "[a-z]+: .*"),
        ("regex $.x foo:bar", None, ("x",), "foo:bar"),
        ("unordered t:$.list", "t", ("list",), ""),
        ("ignore $", None, (), ""),
    ],
)
def test_what_rules_say(text: str, type_: str | None, path: Path, argument: str) -> None:
    rule = parse_rule(text, "--rule")
    assert (rule.type, rule.path, rule.argument) == (type_, path, argument)
    assert parse_rule(str(rule), "--rule") == rule


def test_a_rule_can_be_forced() -> None:
    assert parse_rule("!ignore $.a", "--rule").is_forced
    assert str(parse_rule("!any t:$.a", "--rule")) == "!any t:$.a"


def test_files_have_one_rule_a_line_and_comments() -> None:
    lines = [
        "# all of it",
        "",
        "any $.a  # because",
        "  ",
        'regex $.b "#x # y"  # and',
        "any $.c#d",
    ]
    found = parse_rules(lines[:5], "rules.txt")
    assert [(str(rule), rule.source) for rule in found] == [
        ("any $.a", "rules.txt:3"),
        ('regex $.b "#x # y"', "rules.txt:5"),
    ]
    with pytest.raises(RecorderError, match="is no path"):
        parse_rules(["any $.c#d"], "rules.txt")


def test_an_expression_in_quotes_keeps_what_would_be_a_comment() -> None:
    (rule,) = parse_rules(['regex $.b "a #b"'], "rules.txt")
    assert rule.argument == '"a #b"'


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("ignroe $.a", "begin the rule with one of ignore, any, regex, approx, unordered"),
        ("any", "is no path"),
        ("any $.a.", "is no path"),
        ("any $.a[x]", "is no path"),
        ('any $.a["\\q"]', "is no JSON string"),
        ("any $x", "is no path"),
        ("any $.a b", "remove 'b'"),
        ("approx $.a", "0.05, or 5% of the tape's"),
        ("approx $.a -1", "0.05, or 5% of the tape's"),
        ("regex $.a", "regex needs an expression"),
        ("regex $.a (", "is no regular expression"),
        ("!approx $.a 1", "only ignore and any can be forced"),
        ("   ", "there is no rule"),
    ],
)
def test_errors_name_the_line_and_a_remedy(text: str, why: str) -> None:
    with pytest.raises(RecorderError) as caught:
        parse_rule(text, "--rule")
    message = str(caught.value)
    assert message.startswith("--rule: ")
    assert why in message
    assert "\n" not in message
    if text.strip():
        with pytest.raises(RecorderError, match=r"^rules\.txt:2: "):
            parse_rules(["# one", text], "rules.txt")


KEYS = st.text(max_size=8) | st.integers(0, 30) | st.sampled_from([ONE, MANY, "*", "**", "a.b"])


@given(
    st.sampled_from(VERBS),
    st.none() | st.text(min_size=1, max_size=12) | st.just("POST /call"),
    st.lists(KEYS, max_size=5).map(tuple),
)
def test_every_rule_can_be_written_and_read(verb: str, type_: str | None, path: Path) -> None:
    argument = {"regex": "a b", "approx": "1.5"}.get(verb, "")
    rule = Rule(verb, type_, path, argument)  # type: ignore[arg-type]
    text = str(rule)
    assert "\n" not in text
    assert parse_rule(text, "")._replace(source="") == rule
    assert parse_rules([f"{text}  # why"], "")[0]._replace(source="") == rule


@given(st.text(max_size=40))
def test_any_text_is_a_rule_or_an_error(text: str) -> None:
    for line in (text, f"any {text}", f"regex $.a {json.dumps(text)}"):
        try:
            rules = parse_rules([line], "x")
        except RecorderError:
            continue  # and nothing else
        for rule in rules:
            assert parse_rule(str(rule), rule.source) == rule


def test_the_rules_of_the_manual_can_be_read() -> None:
    manual = (pathlib.Path(__file__).parents[3] / "docs" / "matching.md").read_text("utf-8")
    block = next(each for each in manual.split("```") if "# rules.txt" in each)
    assert {rule.verb for rule in parse_rules(block.splitlines(), "rules.txt")} == set(VERBS)
