"""Tables for people, aligned by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from recorder.report.wording import clip

_BETWEEN = "  "


class Column(NamedTuple):
    """A heading; `narrowest` is how far a column may be cut (0: never), `right` aligns numbers."""

    heading: str
    narrowest: int = 0
    right: bool = False


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None) -> list[str]:
    """Lines with a heading, at most `width` wide if that is given.

    The columns with the most to spare give way first; then the last columns are left out,
    and an ellipsis ends each line.
    """
    cells = [[column.heading for column in columns], *rows]
    widths = [max(len(row[at]) for row in cells) for at in range(len(columns))]
    if width is not None:
        widths = _fitted(columns, widths, width)
    return [_line(columns, widths, row) for row in cells]


def _fitted(columns: Sequence[Column], widths: list[int], room: int) -> list[int]:
    least = [
        min(column.narrowest or natural, natural)
        for column, natural in zip(columns, widths, strict=True)
    ]
    shown = len(widths)
    if _total(least) > room:
        room -= len(_BETWEEN) + 1
        while shown > 1 and _total(least[:shown]) > room:
            shown -= 1
    fitted = widths[:shown]
    while _total(fitted) > room:
        spare = [natural - small for natural, small in zip(fitted, least, strict=False)]
        if not any(spare):
            break
        fitted[spare.index(max(spare))] -= 1
    return fitted


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(_BETWEEN) * (len(widths) - 1)


def _line(columns: Sequence[Column], widths: Sequence[int], row: Sequence[str]) -> str:
    cells = [
        clip(text, size).rjust(size) if column.right else clip(text, size).ljust(size)
        for column, text, size in zip(columns, row, widths, strict=False)
    ]
    if len(widths) < len(columns):
        cells.append("…")
    return _BETWEEN.join(cells).rstrip()
