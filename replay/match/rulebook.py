"""A provider's `Rules` and a user's, compiled: walk them beside a JSON value and ask at each place.

Where several of a user's rules stand for one place, the last one holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from recorder.providers.base import Rules
from replay.match.rules import Path, Rule, Wild


class _Pattern(NamedTuple):
    type: str | None  # None: any
    keys: Path
    id_kind: str | None = None
    is_volatile: bool = False
    keeps_null: bool = False
    rule: Rule | None = None
    number: int = 0  # of the rule: a later one holds


class Place:
    """What the rules say about one place of a message; `down` goes to a key or index below it.
    `rule` is the user's."""

    __slots__ = (
        "_below",
        "_named",
        "_positions",
        "_rest",
        "id_kind",
        "is_volatile",
        "keeps_null",
        "rule",
    )

    def __init__(self, positions: frozenset[tuple[_Pattern, int]]) -> None:
        reached = [pattern for pattern, at in positions if at == len(pattern.keys)]
        self.id_kind = next((found.id_kind for found in reached if found.id_kind), None)
        self.is_volatile = any(found.is_volatile for found in reached)
        self.keeps_null = any(found.keeps_null for found in reached)
        last = max(reached, key=lambda pattern: pattern.number, default=None)
        self.rule = last.rule if last else None
        self._positions = positions
        self._named = {pattern.keys[at] for pattern, at in positions if at < len(pattern.keys)}
        self._below: dict[str | int, Place] = {}
        self._rest: Place | None = None  # any key that no pattern names

    def down(self, key: str | int) -> Place:
        """The place under `key`."""
        found = self._below.get(key)
        if found is not None:
            return found
        if key in self._named:
            made = self._below[key] = Place(self._step(key))
            return made
        if self._rest is None:
            self._rest = Place(self._step(None))
        return self._rest

    def _step(self, key: str | int | None) -> frozenset[tuple[_Pattern, int]]:
        moved: set[tuple[_Pattern, int]] = set()
        for pattern, at in self._positions:
            if at == len(pattern.keys):
                continue
            wanted = pattern.keys[at]
            if wanted is Wild.MANY:
                moved.update(_spread(pattern, at))
            elif wanted is Wild.ONE or wanted == key:
                moved.update(_spread(pattern, at + 1))
        return frozenset(moved)


def _spread(pattern: _Pattern, at: int) -> Iterator[tuple[_Pattern, int]]:
    """A position, and those that a `**` there reaches by standing for nothing."""
    yield pattern, at
    while at < len(pattern.keys) and pattern.keys[at] is Wild.MANY:
        at += 1
        yield pattern, at


class Rulebook:
    """Compiled rules of a provider, and a user's `own`."""

    def __init__(self, rules: Rules, own: Sequence[Rule] = ()) -> None:
        self.rules, self.own = rules, tuple(own)
        self._patterns = [
            *(_pattern(place, id_kind=kind) for place, kind in rules.ids.items()),
            *(_pattern(place, is_volatile=True) for place in rules.volatile),
            *(_pattern(place, keeps_null=True) for place in rules.explicit_nulls),
            *(
                _Pattern(rule.type, rule.path, rule=rule, number=number)
                for number, rule in enumerate(own, 1)
            ),
        ]
        self._roots: dict[str | None, Place] = {}
        self._types = {pattern.type for pattern in self._patterns}

    def governs(self, type_: str) -> bool:
        """Whether one of the user's rules may hold for a message of this type."""
        return any(rule.type in (None, type_) for rule in self.own)

    def tolerates(self, type_: str) -> bool:
        """Whether one of this type may be missing or extra."""
        method = type_.partition(" ")[0]
        return type_ in self.rules.tolerated or f"{method} *" in self.rules.tolerated

    def root(self, type_: str) -> Place:
        """The place of a whole message of a type."""
        known = type_ if type_ in self._types else None
        if known not in self._roots:
            fitting = (each for each in self._patterns if each.type in (None, known))
            self._roots[known] = Place(frozenset(_starts(fitting)))
        return self._roots[known]


def _pattern(
    place: str, id_kind: str | None = None, is_volatile: bool = False, keeps_null: bool = False
) -> _Pattern:
    type_, found, path = place.rpartition(":")
    keys = tuple(Wild(key) if key in ("*", "**") else key for key in path.split("."))
    return _Pattern(type_ if found else None, keys, id_kind, is_volatile, keeps_null)


def _starts(patterns: Iterable[_Pattern]) -> Iterator[tuple[_Pattern, int]]:
    for pattern in patterns:
        yield from _spread(pattern, 0)


def value_at(value: object, path: str) -> object:
    """What stands at a plain dotted path, or None."""
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value
