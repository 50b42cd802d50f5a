"""A Markdown document in which no number stands without a footnote that says where it is from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from recorder.comparison.result import Comparison
from recorder.features.footnotes import Footnotes, cell


class Row(NamedTuple):
    """A row of a table with the marks of its footnotes, which stand in a column of their own."""

    cells: Sequence[str]
    marks: str


class Page:
    """Collects lines. A sentence or row with a digit needs a mark: AssertionError otherwise."""

    def __init__(self) -> None:
        self.notes = Footnotes()
        self._lines: list[str] = []

    def title(self, text: str, level: int = 2) -> None:
        """A heading."""
        self._lines += [f"{'#' * level} {cell(text)}", ""]

    def say(self, text: str, *marks: str, loud: bool = False) -> None:
        """A paragraph."""
        said = f"**{cell(text)}**" if loud else cell(text)
        self._lines += [_marked(said, marks), ""]

    def simulated(self, comparison: Comparison) -> None:
        """Say so, where what follows was measured at simulators."""
        if comparison.simulated:
            self.say("SIMULATED: no number of this section is of a live service.", loud=True)

    def list(self, items: Iterable[tuple[str, str]]) -> None:
        """Items, each a sentence with its marks."""
        self._lines += [f"- {_marked(cell(text), (marks,))}" for text, marks in items]
        self._lines.append("")

    def table(self, head: Sequence[str], rows: Iterable[Row]) -> None:
        """A table; its last column has the marks."""
        names = [*head, "evidence"]
        self._lines += [_line(names), _line(["---"] * len(names))]
        for row in rows:
            cells = [cell(each) for each in row.cells]
            _check(" ".join(cells), row.marks)
            self._lines.append(_line([*cells, row.marks]))
        self._lines.append("")

    def lines(self, lines: Iterable[str]) -> None:
        """Lines that bring their own marks."""
        self._lines += [*lines, ""]

    def text(self) -> str:
        """All of it, with the footnotes at the end."""
        return "\n".join([*self._lines, *self.notes.lines()]) + "\n"


def _marked(text: str, marks: Sequence[str]) -> str:
    found = "".join(marks)
    _check(text, found)
    return text + found


def _check(text: str, marks: str) -> None:
    assert marks or not any(each.isdigit() for each in text), f"a number without a source: {text}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
