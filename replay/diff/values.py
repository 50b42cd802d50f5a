"""Two units of one sort, place by place: everything in which they differ."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from recorder.redact.secrets import MARKER
from replay.diff.align import Key, align
from replay.diff.differences import Grade, What
from replay.diff.kinds import kind_at
from replay.diff.places import Books, Where
from replay.diff.reading import Unit
from replay.match.ids import Bindings
from replay.match.jsontext import Json, Number, canonical, parse, shown
from replay.match.rules import Path, Rule
from replay.match.verbs import ABSENT, accepting, decides, kind_of, refusal

_MARKER = re.compile(MARKER.pattern.decode())
_TOKEN = re.compile(r"[A-Za-z0-9_-]{6,}")  # what may be an id inside a text


class Change(NamedTuple):
    """What differs at one place. `a` or `b` is `ABSENT` where a side has nothing. A `reference` is
    an id that stands for something else than in the other tape."""

    path: Path
    what: What
    grade: Grade
    a: Json
    b: Json
    rule: str
    is_reference: bool = False


class Walk:
    """Compares pairs of units; holds the ids bound so far and the rules that held somewhere.

    Pairs come in the order of the first tape, so that an id is bound where it first stands.
    """

    def __init__(self, books: Books) -> None:
        self.used: set[Rule] = set()
        self.bindings = Bindings()
        self._books = books
        self._type = ""

    def changes(self, a: Unit, b: Unit) -> list[Change]:
        """All changes from `a` to `b`, audio aside. Strings that may be two names of one id are
        among them: see `settled`."""
        self._type = a.rules
        found: list[Change] = []
        parts = zip(self._books.parts(a), self._books.parts(b), strict=True)
        for (path, where, one), (_, _, other) in parts:
            found += self._compare(where, path, one, other)
        return found

    def takes(self, unit: Unit) -> bool:
        """Whether a rule of the user's lets a whole unit be missing or extra."""
        rule = self._books.root(unit).own.rule
        if rule is None or rule.verb != "ignore" or not decides(rule, unit.value, ABSENT):
            return False
        self.used.add(rule)
        return True

    def settled(self, changes: list[Change]) -> list[Change]:
        """Those that are left when all ids are bound."""
        return [each for each in changes if not self._is_renaming(each.a, each.b)]

    def _is_renaming(self, a: Json, b: Json) -> bool:
        """Whether two strings are the same but for ids that are bound to each other."""
        if type(a) is not str or type(b) is not str:
            return False
        renamed = self.bindings.renamed
        if renamed.get(a) == b:
            return True
        return _TOKEN.sub(lambda found: renamed.get(found[0], found[0]), a) == b

    def _compare(self, where: Where, path: Path, a: Json, b: Json) -> Iterator[Change]:
        rule, place = where.own.rule, where.place
        if rule is not None and decides(rule, a, b):
            self.used.add(rule)
            if rule.verb == "unordered":
                yield from self._elements(where, path, _sorted(a), _sorted(b))
            elif refusal(rule, a, b) is not None:
                yield self._changed(path, a, b)
            return
        if place.id_kind and type(a) is str and type(b) is str:
            yield from self._id(place.id_kind, path, a, b)
        elif place.is_volatile or _equal(a, b):
            return
        elif isinstance(a, dict) and isinstance(b, dict):
            yield from self._objects(where, path, a, b)
        elif isinstance(a, list) and isinstance(b, list):
            yield from self._elements(where, path, a, b)
        elif kind_at(self._type, path) == "tool" and (texts := _both_json(a, b)):
            yield from self._compare(where, path, *texts)
        elif (a is None or b is None) and not place.keeps_null:
            yield self._alone(path, ABSENT if a is None else a, ABSENT if b is None else b)
        elif not _same_secret(a, b):
            yield self._changed(path, a, b)

    def _id(self, kind: str, path: Path, a: str, b: str) -> Iterator[Change]:
        constants = self._books.rules.constants
        if a in constants or b in constants:
            if a != b:
                yield self._changed(path, a, b)
        elif not self.bindings.bind(kind, a, b):
            yield self._changed(path, a, b)._replace(is_reference=True)

    def _objects(
        self, where: Where, path: Path, a: Mapping[str, Json], b: Mapping[str, Json]
    ) -> Iterator[Change]:
        for key in sorted({*a, *b}, key=lambda key: (key != "type", key)):
            below, there = where.down(key), (*path, key)
            if key in a and key in b:
                yield from self._compare(below, there, a[key], b[key])
            else:
                one, other = a.get(key, ABSENT), b.get(key, ABSENT)
                yield from self._one_sided(below, there, one, other)

    def _elements(self, where: Where, path: Path, a: list[Json], b: list[Json]) -> Iterator[Change]:
        """Lists, aligned where their lengths differ."""
        if len(a) == len(b):
            pairs = [(at, at) for at in range(len(a))]
        else:
            one, other = (
                [
                    Key("", self._books.signature(where.down(at), each))
                    for at, each in enumerate(side)
                ]
                for side in (a, b)
            )
            pairs = align(one, other, lambda at, to: 1 / (1 + abs(at - to)))
        partner = dict(pairs)
        for at, each in enumerate(a):
            below, there = where.down(at), (*path, at)
            if at in partner:
                yield from self._compare(below, there, each, b[partner[at]])
            else:
                yield from self._one_sided(below, there, each, ABSENT, in_list=True)
        extra = sorted(set(range(len(b))) - set(partner.values()))
        for at in extra:
            yield from self._one_sided(where.down(at), (*path, at), ABSENT, b[at], in_list=True)

    def _one_sided(
        self, where: Where, path: Path, a: Json, b: Json, in_list: bool = False
    ) -> Iterator[Change]:
        """What only one side has: a key with null is as good as absent, unless it means more."""
        rule, value = where.own.rule, b if a is ABSENT else a
        if rule is not None and rule.verb == "ignore" and decides(rule, a, b):
            self.used.add(rule)
            return
        is_nothing = value is None and not where.place.keeps_null
        if not in_list and (where.place.is_volatile or is_nothing):
            return
        yield self._alone(path, a, b)

    def _alone(self, path: Path, a: Json, b: Json) -> Change:
        rule = accepting(self._type, path, a, b)
        if a is ABSENT:
            return Change(path, "added", "low", a, b, rule)
        return Change(path, "removed", "high", a, b, rule)

    def _changed(self, path: Path, a: Json, b: Json) -> Change:
        rule = accepting(self._type, path, a, b)
        if kind_of(a) == kind_of(b):
            return Change(path, "changed", "medium", a, b, rule)
        return Change(path, "retyped", "high", a, b, rule)


def _equal(a: Json, b: Json) -> bool:
    """Whether two values without ids are equal; trees are looked into."""
    if isinstance(a, (dict, list)) or type(a) is not type(b):
        return False
    return bool(a.value == b.value if isinstance(a, Number) else a == b)


def _both_json(a: Json, b: Json) -> tuple[Json, Json] | None:
    """Two texts as the JSON trees that they are, or None: of what a function is given and gives
    back, spaces and the order of keys mean nothing."""
    try:
        texts = [parse(each.encode()) for each in (a, b) if type(each) is str]
    except ValueError:
        return None
    if len(texts) != 2 or not all(isinstance(each, (dict, list)) for each in texts):
        return None
    return texts[0], texts[1]


def _same_secret(a: Json, b: Json) -> bool:
    """Whether two texts are the same but for the markers of redacted secrets, which tell one
    secret from another."""
    if type(a) is not str or type(b) is not str or "[redacted" not in a:
        return False
    return _MARKER.sub("", a) == _MARKER.sub("", b)


def _sorted(values: list[Json]) -> list[Json]:
    return sorted(values, key=canonical)


def text(value: Json) -> str | None:
    """A side of a change, as text."""
    return None if value is ABSENT else shown(value)
