"""A TOML file read strictly: what is not asked for is an error that names the place and the keys
that are valid there."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from math import isfinite
from typing import Any, NoReturn, TypeVar

from recorder.errors import RecorderError

_T = TypeVar("_T")
Place = tuple[str | int, ...]
"""Where a table stands: names of keys, and numbers from 1 in arrays of tables."""

_HEADER = re.compile(r"\s*(\[\[?)\s*([\w.\-\" ]+?)\s*\]\]?\s*(?:#.*)?$")


class FileError(RecorderError):
    """A file that is not taken; the text names file, line and key."""


class Source:
    """A text of TOML with the name of its file. FileError if it is none."""

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        self._lines = text.splitlines()
        try:
            self.values: Mapping[str, Any] = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise FileError(f"{name} is not TOML: {error}") from None

    def root(self) -> Table:
        """The whole of it."""
        return Table(self, self.values, ())

    def refuse(self, place: Place, key: str | None, why: str) -> NoReturn:
        """Raise the error of a key, or of the table at `place` itself."""
        line = self._line(place, key)
        where = f"{self.name}:{line}" if line else self.name
        named = _shown(place)
        raise FileError(f"{where}: {named}: {why}" if named else f"{where}: {why}")

    def _line(self, place: Place, key: str | None) -> int | None:
        """The line of a key, by the headers of tables: the best guess that needs no parser."""
        first, last = self._span(place)
        names = [key] if key else []
        names += [str(part) for part in reversed(place) if isinstance(part, str)]
        for name in names:
            pattern = re.compile(rf"(?:^|[\s{{,.]){re.escape(name)}[\s\"]*[=.]")
            for number in range(first, last):
                if pattern.search(self._lines[number]):
                    return number + 1
        return first + 1 if place and first < last else None

    def _span(self, place: Place) -> tuple[int, int]:
        """The lines of the innermost table at `place` that has a header of its own."""
        found = (0, self._end(0))
        wanted = tuple(place)
        while wanted:
            seen: dict[str, int] = {}
            for number, line in enumerate(self._lines):
                header = _HEADER.match(line)
                if not header:
                    continue
                name = header[2].replace('"', "")
                if header[1] == "[[":
                    seen[name] = seen.get(name, 0) + 1
                if _matches(name, header[1] == "[[", seen, wanted):
                    return number, self._end(number + 1)
            wanted = wanted[:-1]
        return found

    def _end(self, begin: int) -> int:
        """The line of the next header."""
        after = range(begin, len(self._lines))
        return next((at for at in after if _HEADER.match(self._lines[at])), len(self._lines))


def _matches(name: str, is_array: bool, seen: Mapping[str, int], wanted: Place) -> bool:
    names = ".".join(str(part) for part in wanted if isinstance(part, str))
    if name != names:
        return False
    last = wanted[-1]
    return not is_array or last == seen[name]


def _shown(place: Place) -> str:
    """`turn 2, at`."""
    text = ""
    for part in place:
        text += f" {part}" if isinstance(part, int) else f", {part}" if text else part
    return text


class Table:
    """A table; its keys are asked for one by one, then `done` refuses the others."""

    def __init__(self, source: Source, values: Mapping[str, Any], place: Place) -> None:
        self._source, self._values, self.place = source, values, place
        self._asked: set[str] = set()

    def refuse(self, why: str, key: str | None = None) -> NoReturn:
        """Raise the error of this table, or of one of its keys."""
        self._source.refuse(self.place, key, why)

    def done(self) -> None:
        """All keys were asked for; FileError if there are others."""
        for key in self._values:
            if key not in self._asked:
                valid = ", ".join(sorted(self._asked))
                self.refuse(f"unknown key {key!r}; valid are {valid}", key)

    def has(self, key: str) -> bool:
        """Whether a key is there."""
        self._asked.add(key)
        return key in self._values

    def any(self, key: str) -> Any:
        """A value of any kind; None where the key is not there."""
        return self._values[key] if self.has(key) else None

    def text(self, key: str, default: str | None = None) -> str:
        """A string that is not empty; without a default it is needed."""
        if not self.has(key):
            return self._default(key, default)
        found = self._values[key]
        if not isinstance(found, str) or not found.strip():
            self.refuse(f"{key} has to be a text", key)
        return found

    def maybe_text(self, key: str) -> str | None:
        """A string, or None where the key is not there."""
        return self.text(key) if self.has(key) else None

    def choice(self, key: str, valid: tuple[str, ...], default: str) -> str:
        """One of some words."""
        found = self.text(key, default)
        if found not in valid:
            self.refuse(f"{key} is {found!r}; valid are {', '.join(valid)}", key)
        return found

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings; empty where the key is not there."""
        found = self.any(key)
        if found is None:
            return ()
        if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
            self.refuse(f"{key} has to be a list of texts", key)
        return tuple(found)

    def number(self, key: str, default: float | None = None, least: float | None = 0) -> float:
        """A number from `least` on; without a default it is needed."""
        if not self.has(key):
            return self._default(key, default)
        found = self._values[key]
        if isinstance(found, bool) or not isinstance(found, int | float) or not isfinite(found):
            self.refuse(f"{key} has to be a number", key)
        if least is not None and found < least:
            self.refuse(f"{key} has to be at least {least:g}", key)
        return float(found)

    def maybe_number(self, key: str) -> float | None:
        """A number from 0 on, or None where the key is not there."""
        return self.number(key) if self.has(key) else None

    def whole(self, key: str, default: int | None = None, least: int = 0) -> int:
        """A whole number from `least` on; without a default it is needed."""
        if not self.has(key):
            return self._default(key, default)
        found = self._values[key]
        if isinstance(found, bool) or not isinstance(found, int) or found < least:
            self.refuse(f"{key} has to be a whole number from {least} on", key)
        return int(found)

    def flag(self, key: str) -> bool:
        """`true` or `false`; False where the key is not there."""
        found = self.any(key)
        if found not in (None, True, False):
            self.refuse(f"{key} has to be true or false", key)
        return bool(found)

    def table(self, key: str) -> Table | None:
        """The table under a key, or None where there is none."""
        found = self.any(key)
        if found is None:
            return None
        if not isinstance(found, Mapping):
            self.refuse(f"{key} has to be a table", key)
        return Table(self._source, found, (*self.place, key))

    def tables(self, key: str) -> list[Table]:
        """The tables of an array; empty where the key is not there."""
        found = self.any(key)
        if found is None:
            return []
        if not isinstance(found, list) or not all(isinstance(each, Mapping) for each in found):
            self.refuse(f"{key} has to be an array of tables: [[{key}]]", key)
        return [
            Table(self._source, each, (*self.place, key, number))
            for number, each in enumerate(found, 1)
        ]

    def values(self) -> Mapping[str, Any]:
        """All of it as it stands, whatever the keys."""
        self._asked.update(self._values)
        return self._values

    def _default(self, key: str, default: _T | None) -> _T:
        return self.refuse(f"{key} is missing") if default is None else default
