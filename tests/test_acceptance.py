"""docs/acceptance.md has every number once, and names tests that exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "acceptance.md"
PARTS = {
    "A": range(1, 16),
    "B": range(16, 22),
    "C": range(22, 32),
    "D": range(32, 37),
    "E": range(37, 43),
    "F": range(43, 47),
    "G": range(47, 49),
    "H": range(49, 53),
    "I": range(53, 59),
}
EXPECTED = [(part, str(number)) for part, numbers in PARTS.items() for number in numbers]
EXPECTED += [("J", f"J{number}") for number in range(1, 5)]


class Row(NamedTuple):
    """One row of a table."""

    part: str
    number: str
    behaviour: str
    shown: str

    @property
    def tests(self) -> list[str]:
        """Everything in it that looks like a test."""
        return [each for each in re.findall(r"`([^`]+)`", self.shown) if "::" in each]


def read_rows() -> list[Row]:
    part, found = "", []
    for line in PAGE.read_text().splitlines():
        if heading := re.match(r"## ([A-Z])\. ", line):
            part = heading[1]
        elif line.startswith("| ") and not line.startswith("| #"):
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            found.append(Row(part, *cells))
    return found


ROWS = read_rows()
NAMED = sorted({test for row in ROWS for test in row.tests})


@cache
def functions_of(path: Path) -> frozenset[str]:
    """The functions of a file, those of its classes as `Class::name`."""
    found = set()
    for node in ast.parse(path.read_text()).body:
        inner = node.body if isinstance(node, ast.ClassDef) else [node]
        prefix = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        for each in inner:
            if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
                found.add(prefix + each.name)
    return frozenset(found)


def test_every_number_is_there_once_in_its_part() -> None:
    assert [(row.part, row.number) for row in ROWS] == EXPECTED


def test_a_row_says_what_it_is_about_and_names_a_test() -> None:
    for row in ROWS:
        assert len(row.behaviour.split()) > 3, row
        assert row.tests, row
        assert len(row.tests) == len(set(row.tests)), row


def test_a_test_that_is_named_is_there() -> None:
    for name in NAMED:
        path, _, test = name.partition("::")
        assert path.startswith("tests/"), name
        assert test.rpartition("::")[2].startswith("test_"), name
        assert (ROOT / path).is_file(), name
        assert test in functions_of(ROOT / path), name
