"""The tools of a tape: how they answered, for an agent that calls them anew."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from recorder.projections.rows import ToolCallRow
from recorder.trial.doubles import Doubles, Made

_GAP_NS = 100_000_000  # how long an answer takes that is not on the tape


class TapedTools(Doubles):
    """Answers a call as on the tape, after as long as there: that of equal arguments before others
    of the function, of those that were not given yet before those that were. A double of `given`
    (text by name) comes first; a function without any gets an error. `notes` tell what is not
    as on the tape."""

    def __init__(self, calls: Sequence[ToolCallRow], given: Mapping[str, str]) -> None:
        super().__init__(())
        self.notes: list[str] = []
        self._calls, self._given = tuple(calls), given
        self._unused = list(calls)
        self._doubled: set[str] = set()

    def call(self, id_: str, name: str, arguments: Mapping[str, Any], now: int) -> Made:
        """See `Doubles.call`."""
        known = next((made for made in self.made if made.id == id_), None)
        if known is not None:
            return known
        made = self._answer(id_, name, arguments, now)
        self.made.append(made)
        return made

    @property
    def unused(self) -> list[str]:
        """Doubles that never answered."""
        return [name for name in self._given if name not in self._doubled]

    def _answer(self, id_: str, name: str, arguments: Mapping[str, Any], now: int) -> Made:
        found = self._find(name, arguments)
        at = now + (_gap(found) if found else _GAP_NS)
        if name in self._given:
            self._doubled.add(name)
            return Made(id_, name, arguments, now, at, self._given[name])
        if found is None:
            self.notes.append(f"{name} was called, on the tape it was not: answered with an error")
            told = f"no result of {name} is on the tape"
            return Made(id_, name, arguments, now, at, error=told)
        if found in self._unused:
            self._unused.remove(found)
        else:
            self.notes.append(f"{name} was called once more than on the tape: answered as before")
        if found.answered_ns is None:
            self.notes.append(f"{name} is not answered, as on the tape")
            return Made(id_, name, arguments, now, None)
        if found.failed:
            return Made(id_, name, arguments, now, at, error=found.output or "it failed")
        return Made(id_, name, arguments, now, at, found.output or "")

    def _find(self, name: str, arguments: Mapping[str, Any]) -> ToolCallRow | None:
        named = [each for each in (*self._unused, *self._calls) if each.name == name]
        equal = [each for each in named if same(each.arguments, arguments)]
        return next(iter((*equal, *named)), None)


def same(recorded: str, arguments: Mapping[str, Any]) -> bool:
    """Whether recorded arguments (JSON text) say the same."""
    try:
        return bool(json.loads(recorded or "{}") == arguments)
    except ValueError:
        return False


def _gap(call: ToolCallRow) -> int:
    return max(0, (call.answered_ns or call.called_ns) - call.called_ns)
