"""The query of a list: a limit, and bounds on times."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from replay.simulators.vapi.errors import Json, Refusal

_LIMIT, _MOST = 100, 1000
_BOUNDS: Mapping[str, Callable[[Any, Any], bool]] = {
    "Gt": operator.gt,
    "Lt": operator.lt,
    "Ge": operator.ge,
    "Le": operator.le,
}
_TIMES = {
    f"{name}{bound}": (name, bound) for name in ("createdAt", "updatedAt") for bound in _BOUNDS
}


def instant(text: str, name: str) -> datetime:
    """An ISO time; one without a zone is UTC. Refusal if it is none."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Refusal(400, [f"{name} must be a valid ISO 8601 date string"]) from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def picker(query: str, equal: Sequence[str] = ()) -> Callable[[Sequence[Json]], list[Json]]:
    """What a query picks from documents, in their order; `equal` are names compared as they are.
    Refusal for a name that the list does not have or a value that cannot be."""
    limit, tests = _LIMIT, []
    problems: list[str] = []
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name == "limit":
            limit = _limit(value, problems)
        elif name in equal:
            tests.append(_is(name, value))
        elif name in _TIMES:
            tests.append(_within(name, value))
        else:
            problems.append(f"property {name} should not exist")
    if problems:
        raise Refusal(400, problems)
    return lambda found: [one for one in found if all(test(one) for test in tests)][:limit]


def _limit(value: str, problems: list[str]) -> int:
    if not value.isdigit():
        problems.append("limit must be a number conforming to the specified constraints")
        return _LIMIT
    if int(value) > _MOST:
        problems.append(f"limit must not be greater than {_MOST}")
    return int(value)


def _is(name: str, value: str) -> Callable[[Json], bool]:
    return lambda one: bool(one.get(name) == value)


def _within(parameter: str, value: str) -> Callable[[Json], bool]:
    name, bound = _TIMES[parameter]
    limit = instant(value, parameter)
    return lambda one: _BOUNDS[bound](datetime.fromisoformat(one[name]), limit)
