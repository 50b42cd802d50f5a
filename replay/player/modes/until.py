"""A test of a message: where to stop."""

from __future__ import annotations

import re
from typing import Any, NamedTuple, cast

from recorder.errors import RecorderError
from replay.match.jsontext import Json, Number, parse, shown
from replay.match.rules import Path, Wild, parse_rule, written

_PARTS = re.compile(r"(?P<type>[^$=]*?):?(?P<path>\$[^=]*)?(?:=(?P<value>.*))?\Z", re.DOTALL)


class Until(NamedTuple):
    """Holds for a message of a type (any, if it is empty) that has `value` at `path` (anything, if
    it is None)."""

    type: str = ""
    path: Path | None = None
    value: Json = None

    def __str__(self) -> str:
        place = "" if self.path is None else written(self.path)
        value = "" if self.value is None else f"={_plain(self.value, as_written=True)}"
        return f"{self.type}:{place}{value}" if self.type and place else self.type or place + value

    def holds(self, type_: str, body: bytes) -> bool:
        """Whether a message is one to stop at."""
        if self.type and self.type != type_:
            return False
        if self.path is None:
            return True
        try:
            found = _at(parse(body), self.path)
        except (ValueError, LookupError):
            return False
        return self.value is None or _plain(self.value) == _plain(found)


def parse_until(text: str) -> Until:
    """`TYPE`, `$.PATH`, `$.PATH=VALUE`, or these after `TYPE:`. A value is a text or JSON.
    RecorderError for anything else."""
    found = _PARTS.match(text.strip())
    if not found or not (found["type"] or found["path"]) or (found["value"] and not found["path"]):
        raise RecorderError(
            f"{text!r} is no place to stop: write a type (response.done) or a path and a value "
            "($.response.status=completed)"
        )
    return Until(found["type"], _path(found["path"]), found["value"] and _value(found["value"]))


def _path(text: str | None) -> Path | None:
    if text is None:
        return None
    path = parse_rule(f"ignore {text.strip()}", "the place to stop").path
    if any(isinstance(key, Wild) for key in path):
        raise RecorderError(f"{text!r} names many places: write one, without * or **")
    return path


def _at(value: Json, path: Path) -> Json:
    """What stands at a path; LookupError if nothing does."""
    for key in path:
        wanted = dict if isinstance(key, str) else list
        if not isinstance(value, wanted):
            raise LookupError
        value = cast(Any, value)[key]
    return value


def _value(text: str) -> Json:
    """A value: JSON, or a text as it stands."""
    try:
        return parse(text.strip().encode())
    except ValueError:
        return text.strip()


def _plain(value: Json, *, as_written: bool = False) -> str:
    """A value to compare: text without quotes, numbers by value unless `as_written`."""
    if isinstance(value, Number) and not as_written:
        return value.value
    return value if isinstance(value, str) else shown(value)
