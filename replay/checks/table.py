"""One check of a file, read key by key: what is not asked for is an error that names what is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import isfinite
from typing import Any, NamedTuple, NoReturn

from recorder.errors import RecorderError
from replay.checks.matchers import Matcher, is_condition, matcher
from replay.match.rules import Path, parse_rule


class CheckFileError(RecorderError):
    """A file of checks that is not taken; the text names the check and the key."""


class Limits(NamedTuple):
    """Where a number has to lie; None is no limit."""

    least: float | None
    most: float | None

    def take(self, value: float) -> bool:
        """Whether a number lies there."""
        low = self.least is None or value >= self.least
        return low and (self.most is None or value <= self.most)

    def __str__(self) -> str:
        if self.least is not None and self.least == self.most:
            return f"{self.least:g}"
        parts = [f"at least {self.least:g}"] if self.least is not None else []
        parts += [f"at most {self.most:g}"] if self.most is not None else []
        return " and ".join(parts)


class Table:
    """A table of TOML. `where` names it in messages."""

    def __init__(self, values: Mapping[str, Any], where: str) -> None:
        self._values, self.where = values, where
        self._asked: set[str] = set()

    def refuse(self, why: str) -> NoReturn:
        """Raise the error of this table."""
        raise CheckFileError(f"{self.where}: {why}")

    def done(self) -> None:
        """All keys were asked for; CheckFileError if there are others."""
        for key in self._values:
            if key not in self._asked:
                self.refuse(f"unknown key {key!r}; valid are {', '.join(sorted(self._asked))}")

    def has(self, key: str) -> bool:
        """Whether a key is there."""
        self._asked.add(key)
        return key in self._values

    def text(self, key: str, default: str | None = None) -> str:
        """A string that is not empty."""
        found = default if default is not None and not self.has(key) else self._need(key)
        if not isinstance(found, str):
            self.refuse(f"{key} has to be a text")
        return found if found else self.refuse(f"{key} is empty")

    def maybe_text(self, key: str) -> str | None:
        """A string that is not empty, or None where the key is not there."""
        return self.text(key) if self.has(key) else None

    def choice(self, key: str, valid: tuple[str, ...], default: str) -> str:
        """One of some words."""
        found = self.text(key, default)
        return (
            found
            if found in valid
            else self.refuse(f"{key} is {found!r}; valid are {', '.join(valid)}")
        )

    def texts(self, key: str, valid: tuple[str, ...] = ()) -> list[str]:
        """A list of strings, or one string; of the `valid` ones alone, if there are some."""
        found = self._need(key)
        listed = [found] if isinstance(found, str) else found
        if (
            not isinstance(listed, list)
            or not listed
            or not all(isinstance(each, str) and each for each in listed)
        ):
            self.refuse(f"{key} has to be a text, or a list of texts")
        for each in listed:
            if valid and each not in valid:
                self.refuse(f"{key} is {each!r}; valid are {', '.join(valid)}")
        return listed

    def flag(self, key: str) -> None:
        """`true`, and nothing else."""
        if self._need(key) is not True:
            self.refuse(f"{key} has to be true; leave the check out instead")

    def maybe_flag(self, key: str) -> bool:
        """Whether a key is `true`; False where it is not there."""
        if self.has(key):
            self.flag(key)
        return self.has(key)

    def number(self, key: str) -> float:
        """A number."""
        return self._number(key, self._need(key))

    def maybe_number(self, key: str) -> float | None:
        """A number, or None where the key is not there."""
        return self.number(key) if self.has(key) else None

    def whole(self, key: str) -> int | None:
        """A whole number from 1 on, or None where the key is not there."""
        if not self.has(key):
            return None
        found = self._values[key]
        if isinstance(found, bool) or not isinstance(found, int) or found < 1:
            self.refuse(f"{key} has to be a whole number from 1 on")
        return found

    def limits(self, key: str) -> Limits:
        """`{ min = 1, max = 2 }`, either or both; or one number, which is exact."""
        found = self._need(key)
        if not isinstance(found, Mapping):
            exact = self._number(key, found)
            return Limits(exact, exact)
        inner = self.inner(key)
        limits = inner.bounds()
        inner.done()
        return limits

    def bounds(self) -> Limits:
        """`min`, `max`, or both, in this table itself."""
        limits = Limits(self.maybe_number("min"), self.maybe_number("max"))
        if limits == (None, None):
            self.refuse("give min, max, or both")
        return limits

    def inner(self, key: str) -> Table:
        """The table under a key."""
        found = self._need(key)
        if not isinstance(found, Mapping):
            self.refuse(f"{key} has to be a table")
        return Table(found, f"{self.where}, {key}")

    def is_text(self, key: str) -> bool:
        """Whether a key has a text."""
        return self.has(key) and isinstance(self._values[key], str)

    def is_true(self, key: str) -> bool:
        """Whether a key is `true`."""
        return self.has(key) and self._values[key] is True

    def matchers(self, key: str) -> dict[Path, Matcher]:
        """Matchers by JSON path; empty where the key is not there."""
        if not self.has(key):
            return {}
        found = self._values[key]
        if not isinstance(found, Mapping):
            self.refuse(f"{key} has to be a table of values by JSON path")
        return {self.path(each): self._matcher(f"{key}.{each}", found[each]) for each in found}

    def whole_or_parts(self, key: str) -> dict[Path, Matcher]:
        """As `matchers`; a text, or a table of conditions alone, is about the whole value."""
        found = self._values.get(key)
        if isinstance(found, str) or (isinstance(found, Mapping) and is_condition(found)):
            return {(): self.matcher(key)}
        return self.matchers(key)

    def refuse_condition(self, key: str, example: str) -> None:
        """Raise the error for a table of conditions alone where one of values by key is due."""
        found = self._values.get(key)
        if isinstance(found, Mapping) and is_condition(found):
            names = " and ".join(found)
            self.refuse(f"{key} has conditions ({names}) and no key that they are of: {example}")

    def matcher(self, key: str) -> Matcher:
        """What a value has to be."""
        return self._matcher(key, self._need(key))

    def path(self, text: str) -> Path:
        """A JSON path, as in rules: `item.type`, `$.item.content[0].text`."""
        try:
            return parse_rule(f"any {text}", "path").path
        except RecorderError:
            self.refuse(f"{text!r} is no path: write it as $.item.content[0].text")

    def _matcher(self, key: str, value: Any) -> Matcher:
        try:
            return matcher(value)
        except (ValueError, re.error) as error:
            self.refuse(f"{key}: {error}")

    def _number(self, key: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            self.refuse(f"{key} has to be a number")
        return float(value)

    def _need(self, key: str) -> Any:
        return self._values[key] if self.has(key) else self.refuse(f"{key} is missing")
