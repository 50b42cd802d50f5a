"""Questions that are asked often, by name: one file each, `NAME.sql`, in plain SQL.

The first line is a comment with the question; then come its parameters, each with the value that
it has if none is given: ``-- :limit_ms = 1000``. `:session` takes what names a session anywhere.
Where PostgreSQL says something in other words, `NAME.postgresql.sql` stands beside it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files
from typing import Final, NamedTuple

_PARAMETER: Final = re.compile(r"-- :(\w+) = (.*)")


class Recipe(NamedTuple):
    """A named query; `sql` is without its comments."""

    name: str
    question: str
    parameters: Mapping[str, str]
    sql: str


def recipes(dialect: str = "sqlite") -> dict[str, Recipe]:
    """All of them in the words of a database, by name."""
    found: dict[str, str] = {}
    texts = {each.name: each for each in files(__package__).iterdir() if each.name.endswith(".sql")}
    for name in sorted(texts, key=lambda each: each.count(".")):  # the other words come later
        stem, _, other = name.removesuffix(".sql").partition(".")
        if other in ("", dialect):
            found[stem] = texts[name].read_text(encoding="utf-8")
    return {name: _read(name, text) for name, text in sorted(found.items())}


def _read(name: str, text: str) -> Recipe:
    question, *lines = text.splitlines()
    parameters = {}
    while match := _PARAMETER.fullmatch(lines[0]):
        parameters[match[1]] = match[2]
        lines.pop(0)
    return Recipe(name, question.removeprefix("-- "), parameters, "\n".join(lines))
