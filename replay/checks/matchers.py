"""What a value has to be: a value itself, or a table with one condition or several."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, time
from typing import Any, NamedTuple

from replay.match.rules import Path, Wild

ABSENT = object()
"""Stands for what is not there."""


class Matcher(NamedTuple):
    """`takes` tells whether a value will do; `text` is what it has to be, in words."""

    takes: Callable[[Any], bool]
    text: str


def matcher(value: Any) -> Matcher:
    """The matcher of a value of TOML; ValueError or re.error tells what is wrong with it."""
    if isinstance(value, date | time):
        raise ValueError(f"JSON has no dates: write {value} in quotes")
    if not isinstance(value, Mapping):
        return Matcher(lambda found: same(found, value), repr(value))
    if not value:
        raise ValueError("there is no condition")
    for key in value:
        if key not in _CONDITIONS:
            raise ValueError(f"unknown condition {key!r}; valid are {', '.join(_CONDITIONS)}")
    within = value.get("within")
    if within is not None and "approx" not in value:
        raise ValueError("within goes with approx")
    made = [_CONDITIONS[key](value[key], value) for key in value if key != "within"]
    text = " and ".join(each.text for each in made)
    return Matcher(lambda found: all(each.takes(found) for each in made), text)


def same(found: Any, wanted: Any) -> bool:
    """Equal as JSON: 2 and 2.0 are, 1 and true are not."""
    if isinstance(found, bool) or isinstance(wanted, bool):
        return found is wanted
    if isinstance(wanted, list) and isinstance(found, list):
        pairs = zip(found, wanted, strict=False)
        return len(found) == len(wanted) and all(same(*pair) for pair in pairs)
    return bool(found == wanted)


def _equals(argument: Any, _: Mapping[str, Any]) -> Matcher:
    return Matcher(lambda found: same(found, argument), repr(argument))


def _contains(argument: Any, _: Mapping[str, Any]) -> Matcher:
    if not isinstance(argument, str) or not argument:
        raise ValueError("contains needs a text")
    wanted = argument.casefold()
    return Matcher(
        lambda found: isinstance(found, str) and wanted in found.casefold(),
        f"a text with {argument!r}",
    )


def _regex(argument: Any, _: Mapping[str, Any]) -> Matcher:
    if not isinstance(argument, str):
        raise ValueError("regex needs a text")
    pattern = re.compile(argument, re.S)
    return Matcher(
        lambda found: isinstance(found, str) and pattern.search(found) is not None,
        f"a text with /{argument}/",
    )


def _one_of(argument: Any, _: Mapping[str, Any]) -> Matcher:
    if not isinstance(argument, list) or not argument:
        raise ValueError("one_of needs a list")
    return Matcher(
        lambda found: any(same(found, each) for each in argument),
        "one of " + ", ".join(map(repr, argument)),
    )


def _approx(argument: Any, beside: Mapping[str, Any]) -> Matcher:
    within = beside.get("within")
    if not _is_number(argument) or not _is_number(within):
        raise ValueError("approx needs a number, and within another: how far it may be off")
    return Matcher(
        lambda found: _is_number(found) and abs(found - argument) <= within,
        f"{argument} ± {within}",
    )


def _least(argument: Any, _: Mapping[str, Any]) -> Matcher:
    if not _is_number(argument):
        raise ValueError("min needs a number")
    return Matcher(lambda found: _is_number(found) and found >= argument, f"at least {argument}")


def _most(argument: Any, _: Mapping[str, Any]) -> Matcher:
    if not _is_number(argument):
        raise ValueError("max needs a number")
    return Matcher(lambda found: _is_number(found) and found <= argument, f"at most {argument}")


def _exists(argument: Any, _: Mapping[str, Any]) -> Matcher:
    if not isinstance(argument, bool):
        raise ValueError("exists needs true or false")
    text = "there" if argument else "not there"
    return Matcher(lambda found: (found is not ABSENT) == argument, text)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_CONDITIONS: Mapping[str, Callable[[Any, Mapping[str, Any]], Matcher]] = {
    "equals": _equals,
    "contains": _contains,
    "regex": _regex,
    "one_of": _one_of,
    "approx": _approx,
    "within": _approx,
    "min": _least,
    "max": _most,
    "exists": _exists,
}


def is_condition(table: Mapping[str, Any]) -> bool:
    """Whether a table has nothing but conditions."""
    return bool(table) and all(key in _CONDITIONS for key in table)


def at(value: Any, path: Path) -> Iterator[Any]:
    """What stands at a path; several values where it has `*` or `**`."""
    if not path:
        yield value
        return
    key, rest = path[0], path[1:]
    if key is Wild.MANY:
        yield from at(value, rest)
    if isinstance(key, Wild):
        below = path if key is Wild.MANY else rest
        for inner in _inside(value):
            yield from at(inner, below)
    elif isinstance(value, Mapping):
        if key in value:
            yield from at(value[key], rest)
    elif isinstance(value, list):
        index = int(key) if isinstance(key, int) or key.isdecimal() else len(value)
        if index < len(value):
            yield from at(value[index], rest)


def _inside(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def holds(value: Any, path: Path, wanted: Matcher) -> bool:
    """Whether one of the values at a path will do, or, where there is none, its absence."""
    found = list(at(value, path)) or [ABSENT]
    return any(wanted.takes(each) for each in found)
