"""What the provider's rules and the user's say about the places of a unit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from recorder.providers.base import Rules
from replay.diff.reading import Unit
from replay.digest.plain import MISSING, Id, mapped, plain
from replay.match.ids import ids_in
from replay.match.jsontext import Json, canonical
from replay.match.rulebook import Place, Rulebook
from replay.match.rules import Rule

_NO_RULES = Rules({}, (), frozenset(), frozenset(), {})


class Where(NamedTuple):
    """One place: what the provider's rules say of it (`place`) and the user's (`own`)."""

    place: Place
    own: Place

    def down(self, key: str | int) -> Where:
        """The place under `key`."""
        return Where(self.place.down(key), self.own.down(key))


class Books:
    """A provider's rules and a user's. Bodies of HTTP follow the provider's rules as messages do,
    while the user's name them `$.body`, as in a replay."""

    def __init__(self, rules: Rules, own: Sequence[Rule]) -> None:
        self.rules, self.own = rules, tuple(own)
        self._book, self._own = Rulebook(rules), Rulebook(_NO_RULES, own)

    def root(self, unit: Unit) -> Where:
        """The place of a whole unit."""
        return Where(self._book.root(unit.rules), self._own.root(unit.rules))

    def parts(self, unit: Unit) -> list[tuple[tuple[str, ...], Where, Json]]:
        """The parts of a unit that have rules from their own root on, each with its path."""
        root = self.root(unit)
        if not unit.is_http:
            return [((), root, unit.value)]
        head = {key: value for key, value in unit.value.items() if key != "body"}
        bare = Where(self._book.root(""), root.own)
        body = Where(bare.place, root.own.down("body"))
        return [((), bare, head), (("body",), body, unit.value["body"])]

    def masked(self, unit: Unit) -> Json:
        """What of a unit has to be equal in another one that says the same: its ids only by kind,
        and nothing of what may differ anyway."""
        return [self._masked(where, value) for _, where, value in self.parts(unit)]

    def signature(self, where: Where, value: Json) -> str:
        """A masked value as one text."""
        return canonical(self._masked(where, value))

    def _masked(self, where: Where, value: Json) -> Json:
        return mapped(plain(where.place, value, self.rules.constants), _without_name)

    def ids(self, unit: Unit) -> Iterator[str]:
        """The ids that a unit names."""
        for _, where, value in self.parts(unit):
            for _, name in ids_in(where.place, value, self.rules.constants):
                yield name


def _without_name(leaf: Id | str) -> Json:
    if not isinstance(leaf, Id):
        return leaf
    return MISSING if leaf.may_miss else {"id": leaf.kind}
