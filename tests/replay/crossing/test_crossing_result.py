"""The verdict over a conversation that was held anew, and what is told as a difference."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, cast

import pytest

from recorder.store.base import SessionRow
from replay.crossing.result import Difference, differences, judge
from replay.crossing.running import Given, Ran
from replay.crossing.taped import TapedCall
from replay.crossing.text import folded
from replay.crossing.tools import TapedTools
from replay.crossing.views import Call, Cut, Told, View

ROW = cast(SessionRow, None)
CALL = Call("book", '{"day": "Monday"}', "done", False, 100.0)
VIEW = View("Hello.", "Hi.", 800.0, (), None)


def told(*views: View, ended_by: str = "client", fatal: tuple[str, ...] = ()) -> Told:
    """A tape with nothing before its turns."""
    nothing = View("", "", None, (), None)
    return Told(ROW, (nothing, *views), (), Decimal(0), fatal, ended_by, False, ())


def ran(given: int, failed: str | None = None, *, is_fault: bool = True) -> Ran:
    turns = tuple(Given(number, "anchor") for number in range(1, given + 1))
    return Ran("s", failed, failed is not None and is_fault, turns, TapedTools((), {}))


def tape(turns: int) -> TapedCall:
    """Only how many turns it has is looked at."""
    none = cast(Any, None)
    return TapedCall(ROW, none, none, None, (none,) * turns, none, 0.0, ())


def outcome(now: Told, how: Ran, before: Told | None = None) -> tuple[str, str]:
    found = judge(tape(1), before or told(VIEW), now, how)
    return found.outcome, found.reason


def test_a_whole_conversation_passes() -> None:
    assert outcome(told(VIEW), ran(1)) == ("pass", "")


def test_a_call_without_an_answer_fails_unless_the_tape_has_none_either() -> None:
    silent = VIEW._replace(calls=(CALL._replace(output=None),))
    assert outcome(told(silent), ran(1)) == ("fail", "not answered: book")
    assert outcome(told(silent), ran(1), told(silent)) == ("pass", "")


def test_who_is_to_blame_decides_between_fail_and_inconclusive() -> None:
    assert outcome(told(), ran(0, "refused")) == ("fail", "refused")
    assert outcome(told(), ran(0, "too long", is_fault=False)) == ("inconclusive", "too long")


def test_an_agent_may_end_the_call_once_all_is_said() -> None:
    ended = told(VIEW, ended_by="provider")
    assert outcome(ended, ran(1, "the call has ended"))[0] == "pass"
    assert outcome(ended, ran(0, "the call has ended"))[0] == "fail"
    assert outcome(ended._replace(fatal=("500: x",)), ran(1, "the call has ended"))[0] == "fail"


def found(old: View, new: View) -> list[Difference]:
    return list(differences(told(old), told(new), ran(1)))


@pytest.mark.parametrize(
    ("old", "new", "kind", "text"),
    [
        ({}, {"said": ""}, "answer", "the agent said nothing"),
        ({"said": ""}, {}, "answer", "the agent spoke, on the tape it did not"),
        ({}, {"heard": "Hollow."}, "heard", "the caller was heard as 'Hollow.'"),
        ({"calls": (CALL,)}, {}, "tool", "book was not called"),
        ({}, {"calls": (CALL,)}, "tool", "book was called, on the tape it was not"),
        ({"cut": Cut(100.0)}, {}, "interruption", "no interruption came"),
        ({}, {"cut": Cut(None)}, "interruption", "an interruption that the tape does not have"),
        ({}, {"v2v_ms": 1000.0}, "latency", "the answer came 200 ms later"),
        ({}, {"v2v_ms": 500.0}, "latency", "the answer came 300 ms sooner"),
    ],
)
def test_what_is_a_difference(
    old: dict[str, Any], new: dict[str, Any], kind: str, text: str
) -> None:
    (only,) = found(VIEW._replace(**old), VIEW._replace(**new))
    assert (only.turn, only.kind) == (1, kind)
    assert only.text.startswith(text)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({}, {"heard": "hello"}),
        ({"heard": ""}, {}),
        ({}, {"said": "Good day."}),
        ({}, {"v2v_ms": 999.0}),
        ({"v2v_ms": None}, {}),
        (
            {"calls": (CALL,)},
            {"calls": (CALL._replace(arguments='{"day":"Monday"}', output="x", ms=900.0),)},
        ),
        ({"cut": Cut(100.0)}, {"cut": Cut(None)}),
    ],
)
def test_what_is_none(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert found(VIEW._replace(**old), VIEW._replace(**new)) == []


def test_calls_are_paired_by_name_in_order() -> None:
    other = CALL._replace(arguments='{"day": "Sunday"}', failed=True)
    told_ = found(VIEW._replace(calls=(CALL, CALL)), VIEW._replace(calls=(CALL, other)))
    assert [each.text for each in told_] == [
        'book was called with {"day": "Sunday"}, on the tape with {"day": "Monday"}',
        "book failed",
    ]


def test_turns_that_were_not_reached_are_told_once() -> None:
    given = ran(1)
    found_ = list(differences(told(VIEW, VIEW), told(VIEW), given))
    assert found_ == [Difference(2, "trigger", "the caller did not come to it")]
    late = given._replace(given=(Given(1, "timeout"),))
    (first,) = differences(told(VIEW), told(VIEW), late)
    assert first.text == "what the caller waited for did not come"


def test_long_texts_are_folded_under_themselves() -> None:
    assert folded("ab: ", "one two three four five six seven", 28) == [
        "ab: one two three four five",
        "    six seven",
    ]
    assert folded("ab: ", "one\x1b[0m", None) == ["ab: one\\x1b[0m"]
    assert folded("ab: ", "", 80) == ["ab: "]
