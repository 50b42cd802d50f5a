"""What a report of a replay lets through to a terminal."""

from __future__ import annotations

from replay.report import cut


def test_a_text_is_cut_to_one_line_that_no_terminal_obeys() -> None:
    assert cut("a\n  b\tc") == "a b c"
    assert cut("x" * 9, 8) == "xxxxxxx…"
    assert cut("red \x1b[31m and \x9b") == r"red \x1b[31m and \x9b"
