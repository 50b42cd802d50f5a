"""Assertions over a tape; docs/checks.md describes each kind."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from replay.checks import conduct, events, speech, timing, tools
from replay.checks.outcomes import Check, Result
from replay.checks.table import CheckFileError, Table
from replay.checks.tape import Tape, read_tape

__all__ = [
    "KINDS",
    "CheckFileError",
    "Named",
    "Result",
    "Tape",
    "named",
    "parse",
    "read_tape",
    "run",
]

KINDS: Final[Mapping[str, Callable[[Table], Check]]] = {
    "event": events.event,
    "no_event": events.no_event,
    "count": events.count,
    "order": events.order,
    "says": speech.says,
    "max_words": speech.max_words,
    "calls": tools.calls,
    "never_calls": tools.never_calls,
    "call_order": tools.call_order,
    "call_count": tools.call_count,
    "no_duplicate_calls": tools.no_duplicate_calls,
    "answered_within_ms": tools.answered_within_ms,
    "latency_ms": timing.latency_ms,
    "metric": timing.metric,
    "duration_s": timing.duration_s,
    "turns": conduct.turns,
    "response_status": conduct.response_status,
    "interruptions": conduct.interruptions,
    "yields_within_ms": conduct.yields_within_ms,
    "no_errors": conduct.no_errors,
    "ended_by": conduct.ended_by,
    "ended_reason": conduct.ended_reason,
    "closed_cleanly": conduct.closed_cleanly,
    "tokens": conduct.tokens,
    "cost_usd": conduct.cost_usd,
}
"""Kind -> how a check of it is read."""


class Named(NamedTuple):
    """A check of a file."""

    name: str
    kind: str
    check: Check


def parse(text: str, source: str) -> list[Named]:
    """The checks of a TOML text; CheckFileError for the first thing that is wrong. `source` is the
    name of the file."""
    try:
        found = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise CheckFileError(f"{source} is not TOML: {error}") from None
    for key in found:
        if key != "check":
            raise CheckFileError(f"{source}: unknown key {key!r}; a check begins with [[check]]")
    tables = found.get("check")
    if not isinstance(tables, list) or not tables:
        raise CheckFileError(f"{source} has no checks; one begins with [[check]]")
    return [named(each, f"{source}, check {number}") for number, each in enumerate(tables, 1)]


def named(values: object, where: str) -> Named:
    """One check, given as a table; CheckFileError if it is none. `where` names it in messages."""
    if not isinstance(values, Mapping):
        raise CheckFileError(f"{where} is no table: it begins with [[check]]")
    kinds = [key for key in values if key in KINDS]
    if len(kinds) != 1:
        have = f"has {' and '.join(kinds)}" if kinds else "has no kind"
        raise CheckFileError(f"{where} {have}: give one of {', '.join(KINDS)}")
    kind = kinds[0]
    table = Table(values, f"{where} ({kind})")
    name = table.text("name", _default_name(kind, values[kind]))
    return Named(name, kind, KINDS[kind](table))


def _default_name(kind: str, value: Any) -> str:
    if isinstance(value, Mapping):
        value = ", ".join(f"{key} {each}" for key, each in value.items())
    elif isinstance(value, list):
        value = ", ".join(map(str, value))
    return kind if value is True else f"{kind} {value}"


def run(checks: Sequence[Named], tape: Tape) -> Iterator[Result]:
    """Judge a tape, check by check."""
    for each in checks:
        yield Result(each.name, each.kind, each.check(tape))
