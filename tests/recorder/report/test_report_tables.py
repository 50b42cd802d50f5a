"""Tables fit the terminal."""

from __future__ import annotations

from recorder.report.tables import Column, table

_COLUMNS = (Column("ID"), Column("N", right=True), Column("MODEL", 5), Column("TRIAL", 5))
_ROWS = [("01abc", "7", "gpt-realtime", "first-try"), ("01abd", "1234", "m", "")]


def test_columns_are_aligned() -> None:
    assert table(_COLUMNS, _ROWS, None) == [
        "ID        N  MODEL         TRIAL",
        "01abc     7  gpt-realtime  first-try",
        "01abd  1234  m",
    ]


def test_the_column_with_most_to_spare_gives_way_first() -> None:
    assert table(_COLUMNS, _ROWS, 30)[1] == "01abc     7  gpt-re…  first-t…"


def test_the_last_columns_are_left_out_when_nothing_can_give_way() -> None:
    assert table(_COLUMNS, _ROWS, 22) == [
        "ID        N  MODEL   …",
        "01abc     7  gpt-r…  …",
        "01abd  1234  m       …",
    ]


def test_no_line_is_wider_than_asked_for() -> None:
    for width in range(14, 50):
        assert max(map(len, table(_COLUMNS, _ROWS, width))) <= width
