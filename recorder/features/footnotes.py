"""Footnotes of a Markdown text: where a number comes from, and where a claim was read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from recorder.features.definitions import Source
from recorder.features.wording import asked, told


class Footnotes:
    """Numbers footnotes in the order in which they are used; the same text has one number."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def add(self, text: str) -> str:
        """The mark of a footnote with this text: `[^3]`."""
        return f"[^{self._numbers.setdefault(text, len(self._numbers) + 1)}]"

    def query(self, sql: str, given: Mapping[str, str]) -> str:
        """The mark of a question that a store can be asked again."""
        return self.command(asked(" ".join(sql.split()), given))

    def command(self, line: str) -> str:
        """The mark of a command line."""
        return self.add(code(line))

    def source(self, source: Source) -> str:
        """The mark of a source."""
        return self.add(told(source))

    def lines(self) -> Iterator[str]:
        """All of them."""
        for text, number in self._numbers.items():
            yield f"[^{number}]: {text}"


def code(text: str) -> str:
    """A line as code, whatever quotes it has."""
    fence = "`" * (1 + max((len(run) for run in _ticks(text)), default=0))
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{space}{text}{space}{fence}"


def _ticks(text: str) -> list[str]:
    return "".join(each if each == "`" else " " for each in text).split()


def cell(text: str) -> str:
    """A text for a table or a sentence: on one line, without tags, its bars kept from ending a
    cell."""
    return " ".join(text.split()).replace("<", "&lt;").replace("|", "\\|")
