"""What a function is answered: by a double, or as on the tape."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from recorder.providers.base import Conduct
from recorder.providers.neutral import ToolCalled
from replay.caller.acts import Result
from replay.match.jsontext import canonical, parse

_GAP_NS = 100_000_000  # how long an answer takes that is not on the tape


class Reply(NamedTuple):
    """The message that answers a call, `gap_ns` after it; `body` is empty if it is not answered.
    `note` says what is not as on the tape, `seq` is the number there (0: none)."""

    body: bytes
    gap_ns: int
    note: str = ""
    seq: int = 0


class Tools:
    """Answers calls. A double comes first; else the result on the tape of the same function with
    the same arguments, then of the same function; else an error. The names of doubles that
    answered are added to `doubled`."""

    def __init__(
        self,
        conduct: Conduct,
        results: Sequence[Result],
        doubles: Mapping[str, str],
        doubled: set[str],
    ) -> None:
        self._conduct, self._doubles, self._doubled = conduct, doubles, doubled
        self._unused = list(results)
        self._all = tuple(results)

    def answer(self, call: ToolCalled) -> Reply:
        """What a call is answered."""
        found = self._find(call)
        fresh = found if found in self._unused else None
        if fresh is not None:
            self._unused.remove(fresh)
        double = self._doubles.get(call.name)
        gap = found.gap_ns if found else _GAP_NS
        seq = fresh.seq if fresh else 0
        if double is not None:
            self._doubled.add(call.name)
            body = self._body(found, call.call, double, is_new=fresh is None)
            note = "" if found else f"{call.name} was called, on the tape it was not"
            return Reply(body, gap, note, seq)
        if found is None:
            error = json.dumps({"error": f"no result of {call.name} is on the tape"})
            note = f"{call.name} was called, on the tape it was not: answered with an error"
            return Reply(self._body(None, call.call, error, is_new=True), gap, note)
        note = _note(found, call, is_again=fresh is None)
        if not found.body:
            return Reply(b"", 0, note or f"{call.name} is not answered, as on the tape")
        return Reply(self._body(found, call.call, None, is_new=fresh is None), gap, note, seq)

    def missed(self, turn: int) -> list[str]:
        """The functions that were called on the tape up to a turn, and not here; each told once."""
        found = [each for each in self._unused if each.turn <= turn]
        self._unused = [each for each in self._unused if each.turn > turn]
        return [each.name for each in found]

    def _find(self, call: ToolCalled) -> Result | None:
        """The nearest result: of equal arguments before others, of unused ones before used."""
        wanted = _value(call.arguments)
        named = [each for each in (*self._unused, *self._all) if each.name == call.name]
        equal = [each for each in named if _value(each.arguments) == wanted]
        return next(iter((*equal, *named)), None)

    def _body(self, found: Result | None, call: str, output: str | None, *, is_new: bool) -> bytes:
        """The recorded message with another id and output; one that is used again loses its own."""
        assert self._conduct.result is not None
        call_place, output_place = self._conduct.result
        recorded = found.body if found and found.body else self._conduct.answer
        message = json.loads(recorded)
        put(message, call_place, call)
        if output is not None:
            put(message, output_place, output)
        if is_new:
            drop_names(message)
        return recorded if message == json.loads(recorded) else encoded(message)


def _note(found: Result, call: ToolCalled, *, is_again: bool) -> str:
    if is_again:
        return f"{call.name} was called once more than on the tape: answered as before"
    if _value(found.arguments) != _value(call.arguments):
        return f"{call.name} was called with {call.arguments}, on the tape with {found.arguments}"
    return ""


def _value(arguments: str) -> str:
    try:
        return canonical(parse(arguments.encode()))
    except ValueError:
        return arguments


def put(message: dict[str, object], place: str, value: object) -> None:
    """Set what stands at a dotted place, making the objects on the way."""
    *way, last = place.split(".")
    holder = message
    for key in way:
        inner = holder.setdefault(key, {})
        assert isinstance(inner, dict)
        holder = inner
    holder[last] = value


def drop_names(message: dict[str, Any]) -> None:
    """Take out the ids that the client made: each may be used once."""
    message.pop("event_id", None)
    for inner in message.values():
        if isinstance(inner, dict):
            inner.pop("id", None)


def encoded(message: object) -> bytes:
    """Compact JSON."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()
