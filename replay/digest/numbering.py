"""Ids by number: two runs mint different ids and use them alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from replay.digest.plain import MISSING, Id, leaves, mapped
from replay.match.jsontext import Json


class Numbering:
    """Numbers ids per kind by first appearance. An id that appears once refers to nothing: it is
    `*`, or left out where it may be absent. A string that equals an id is that id."""

    def __init__(self, known: Mapping[str, str], values: Sequence[Json]) -> None:
        self._kinds = dict(known)
        for value in values:
            for leaf in leaves(value):
                if isinstance(leaf, Id):
                    self._kinds.setdefault(leaf.name, leaf.kind)
        self._seen: Counter[str] = Counter()
        for value in values:
            names = (leaf.name if isinstance(leaf, Id) else leaf for leaf in leaves(value))
            self._seen.update(name for name in names if name in self._kinds)
        self._numbers: dict[str, int] = {}
        self._counts: Counter[str] = Counter()

    def resolve(self, value: Json) -> Json:
        """`value` with its ids by number. Values must come in the order they were given in."""
        return mapped(value, self._change)

    def _change(self, leaf: Id | str) -> Json:
        name = leaf.name if isinstance(leaf, Id) else leaf
        kind = self._kinds.get(name)
        if kind is None:
            return name
        if self._seen[name] == 1:
            return MISSING if isinstance(leaf, Id) and leaf.may_miss else {"id": kind}
        if name not in self._numbers:
            self._counts[kind] += 1
            self._numbers[name] = self._counts[kind]
        return {"id": kind, "number": str(self._numbers[name])}
