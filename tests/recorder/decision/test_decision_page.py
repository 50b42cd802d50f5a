"""No number stands in a document without its source."""

from __future__ import annotations

import pytest

from recorder.decision.page import Page, Row


def test_a_number_needs_a_footnote() -> None:
    page = Page()
    with pytest.raises(AssertionError, match="a number without a source: 12 calls"):
        page.say("12 calls")
    with pytest.raises(AssertionError):
        page.list([("12 calls", "")])
    with pytest.raises(AssertionError):
        page.table(["calls"], [Row(["12"], "")])
    page = Page()
    mark = page.notes.command("record sessions")
    page.say("12 calls", mark)
    assert page.text() == "12 calls[^1]\n\n[^1]: `record sessions`\n"


def test_what_users_named_cannot_break_a_table_or_bring_tags() -> None:
    page = Page()
    mark = page.notes.query("SELECT '`' || x", {"trial": "a|b"})
    page.table(["a"], [Row(["x | <b>\ny"], mark)])
    lines = page.text().splitlines()
    assert lines[2] == "| x \\| &lt;b> y | [^1] |"
    assert lines[4] == "[^1]: ``record sql 'SELECT '\"'\"'`'\"'\"' || x' -p 'trial=a|b'``"


def test_the_same_footnote_is_written_once() -> None:
    page = Page()
    marks = [page.notes.query("SELECT  1", {}), page.notes.query("SELECT 1", {})]
    assert marks == ["[^1]", "[^1]"]
