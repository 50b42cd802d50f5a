"""Faults as text: every one that the documentation has, and clear words for what is none."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.errors import RecorderError
from recorder.providers import PROVIDERS
from replay.faults import parse_fault, read_plan
from replay.faults.grammar import KINDS
from replay.faults.meaning import check

DOCS = Path(__file__).parents[3] / "docs" / "faults.md"


def test_a_fault_says_what_where_and_how() -> None:
    fault = parse_fault('close@step=12  code=1013 reason="try again"')
    assert (fault.name, fault.where.place, fault.where.number) == ("close", "step", 12)
    assert (fault.number("code"), fault.word("reason")) == (1013, "try again")
    assert fault.text == 'close@step=12 code=1013 reason="try again"'


def test_what_is_not_given_has_a_default() -> None:
    fault = parse_fault("close@t=2.5")
    assert fault.where.number == 2_500_000_000
    assert (fault.nth, fault.chance, fault.number("code")) == (0, 1.0, 1011)


def test_requests_are_named_by_method_and_path() -> None:
    where = parse_fault("refuse@POST /call/* status=429 nth=1 retry-after=2").where
    assert (where.place, where.method, where.pattern) == ("request", "POST", "/call/*")
    assert parse_fault("break@* *").where.method == "*"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "'nothing' is no fault; there are break, chaos, close"),
        ("clsoe@step=3", "'clsoe' is no fault; there are break, chaos, close"),
        ("close", "it does not say where: close@ and open, response, type=…"),
        ("close@step=0", "'step=0' is no place; give open"),
        ("close@t=-1", "'t=-1' is no place"),
        ("close@t=nan", "'t=nan' is no place"),
        ("close@open", "close is applied at type=…, step=N, t=SECONDS or response"),
        ("drop@POST /call", "drop is applied at type=…, step=N, response or webhook=…"),
        ("close@step=3 cod=1000", "'cod=1000' is no option of it; there are code, nth, p, reason"),
        ("close@step=3 code=1006", "1006 cannot be sent (RFC 6455, 7.4.1); break@…"),
        ("close@step=3 code=x", "code=x is not a close code from 1000 to 4999"),
        ("close@step=3 code=1 code=2", "code is given twice"),
        (f"close@step=3 reason={'x' * 124}", "reason= is longer than 123 bytes"),
        ("delay@type=a", "delay needs ms=, a number of milliseconds, 0 or more"),
        ("delay@type=a ms=-1", "ms=-1 is not a number of milliseconds, 0 or more"),
        ("refuse@open status=200", "status=200 is not a status from 400 to 599"),
        ("drop@type=a nth=0", "nth=0 is not a number from 1 on"),
        ("drop@type=a p=2", "p=2 is no probability: give one from 0 to 1"),
        ("drop@type=a p=nan", "p=nan is no probability"),
        ("drop@type=a p=1 nth=1", "give nth= or p=, not both"),
        ("drop@step=3 nth=1", "step= is there once: leave nth= and p= out"),
        ('drop@type="a', "no closing quotation"),
    ],
)
def test_what_is_no_fault_is_refused_with_what_there_is(text: str, words: str) -> None:
    with pytest.raises(RecorderError) as found:
        parse_fault(text)
    message = str(found.value)
    assert message.startswith("fault '")
    assert words in message
    assert "\n" not in message
    assert found.value.exit_code == 2


@given(st.text() | st.builds("{}@{}".format, st.sampled_from([*KINDS]), st.text()))
def test_any_text_is_a_fault_or_an_error(text: str) -> None:
    with suppress(RecorderError):
        assert parse_fault(text).name in KINDS


def test_a_file_has_a_fault_a_line_and_says_which_one_is_wrong() -> None:
    plan = read_plan("# a remark\n\ndrop@type=a\n  close@t=0\n", "plan.txt")
    assert [fault.name for fault in plan] == ["drop", "close"]
    with pytest.raises(RecorderError, match=r"^plan.txt, line 2: fault 'nothing@x': "):
        read_plan("drop@type=a\nnothing@x\n", "plan.txt")


@pytest.mark.parametrize(
    ("provider", "text", "words"),
    [
        ("openai", "drop@webhook=*", "posts no webhooks"),
        ("vapi", "fail@response", "has no message that says how a response ended"),
        ("vapi", "close@response", "has no message that says how a response ended"),
        ("openai", "fail@response status=late", "status=late is none of failed, incomplete"),
        ("openai", "fail@response reason=x", "reason=x is none of server_error, "),
    ],
)
def test_a_fault_without_a_meaning_for_the_provider_is_refused(
    provider: str, text: str, words: str
) -> None:
    with pytest.raises(RecorderError, match=re.escape(words)):
        check([parse_fault(text)], PROVIDERS[provider])


def test_the_documentation_has_an_example_of_every_fault() -> None:
    examples = re.findall(r"^\| `(\w+@[^`]+)` \|", DOCS.read_text(), re.M)
    faults = [parse_fault(example) for example in examples]
    assert {fault.name for fault in faults} == set(KINDS)
