"""What a reader is told of differences: the texts are kept beside this file."""

from __future__ import annotations

from pathlib import Path

import pytest
from diffing import between, changed, edited
from tapes import Take, conversation

from recorder.report.text import plain
from replay.diff import Diff
from replay.diff.text import lines, summary

GOLDEN = Path(__file__).parent / "golden"


def another_run() -> Diff:
    """A run in which another voice gives another answer, and a result is missing."""
    takes: list[Take] = edited(conversation(), b"Good morning.", b"Good evening, all of you.")
    takes = edited(takes, b'"delta":" mor"', b'"delta":" eve"')
    takes = edited(takes, b'"marin"', b'"cedar"')
    takes = [take for take in takes if b"function_call_output" not in take.body]
    cut = "An instruction that is long enough to go over two lines of a terminal, and that differs"
    takes = edited(takes, b'"Short."', f'"{cut} here."'.encode())
    one = edited(conversation(), b'"Short."', f'"{cut} there."'.encode())
    takes = changed(takes, "response.done", lambda message: message["response"].pop("status"))
    return between(one, takes)


@pytest.mark.parametrize(("name", "width"), [("narrow", 80), ("wide", 120)])
def test_the_text_is_as_kept(name: str, width: int | None) -> None:
    found = another_run()
    text = "\n".join([*lines(found, plain, width), summary(found), ""])
    assert text == (GOLDEN / f"{name}.txt").read_text("utf-8")


def test_rules_are_printed_when_asked_for() -> None:
    text = "\n".join(lines(another_run(), plain, None, rules=True))
    assert "accept with: any session.update:$.session.instructions" in text
    assert "accept with: any session.updated:$.session.instructions" in text


def test_what_a_terminal_would_obey_is_escaped() -> None:
    takes = edited(conversation(), b"Good morning.", b"Good \\u001b[31mmorning.")
    text = "\n".join(lines(between(conversation(), takes), plain, 120))
    assert "\x1b" not in text
    assert r"\x1b[31m" in text or r"\u001b[31m" in text


def test_no_difference_is_said_with_what_was_compared() -> None:
    found = between(conversation(), conversation())
    assert list(lines(found, plain, 120)) == []
    assert (
        summary(found)
        == f"no differences: {found.messages[0]} messages in A, {found.messages[1]} in B"
    )
