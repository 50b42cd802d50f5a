"""Tool doubles: how calls of the agent's tools are answered, and when, for every provider alike."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from recorder.trial.scenario import Double

_MS = 1_000_000


@dataclass(frozen=True)
class Made:
    """A call, and its answer: a `result` or an `error` at `answered_ns`, with HTTP `status` where
    there is HTTP; never where that is None."""

    id: str
    name: str
    arguments: Mapping[str, Any]
    at_ns: int
    answered_ns: int | None
    result: Any = None
    error: str | None = None
    status: int = 200

    @property
    def output(self) -> str:
        """The answer as the text that a model reads; an error is a JSON object."""
        if self.error is not None:
            return json.dumps({"error": self.error}, ensure_ascii=False)
        if isinstance(self.result, str):
            return self.result
        return json.dumps(self.result, ensure_ascii=False)


@dataclass
class Doubles:
    """Answers calls by the first double that fits, and remembers them. All times in ns."""

    doubles: Sequence[Double]
    made: list[Made] = field(default_factory=list)
    _used: dict[int, int] = field(default_factory=dict)

    def call(self, id_: str, name: str, arguments: Mapping[str, Any], now: int) -> Made:
        """Decide the answer to a call. The same `id_` again is the same call, and gets the same."""
        for known in self.made:
            if known.id == id_:
                return known
        double = self._fitting(name, arguments)
        if double is None:
            told = f"no double answers {name} with these arguments"
            made = Made(id_, name, arguments, now, now, error=told)
        else:
            made = _answered(double, id_, name, arguments, now)
        self.made.append(made)
        return made

    def is_awaited(self, now: int) -> bool:
        """Whether an answer is still to come."""
        return any(made.answered_ns is not None and made.answered_ns > now for made in self.made)

    def last_answer(self, now: int) -> int | None:
        """When the latest answer was given."""
        times = (made.answered_ns for made in self.made)
        return max((at for at in times if at is not None and at <= now), default=None)

    def called(self, name: str, since: int) -> int | None:
        """When a tool was first called from `since` on."""
        times = (made.at_ns for made in self.made if made.name == name)
        return next((at for at in times if at >= since), None)

    def _fitting(self, name: str, arguments: Mapping[str, Any]) -> Double | None:
        for place, double in enumerate(self.doubles):
            used = self._used.get(place, 0)
            if double.name not in ("*", name) or used == double.times:
                continue
            if all(arguments.get(key) == value for key, value in double.when.items()):
                self._used[place] = used + 1
                return double
        return None


def _answered(double: Double, id_: str, name: str, arguments: Mapping[str, Any], now: int) -> Made:
    at = None if double.drop else now + double.delay_ms * _MS
    error = double.error
    if double.status is not None:
        error = f"status {double.status}"
    return Made(id_, name, arguments, now, at, double.result, error, double.status or 200)
