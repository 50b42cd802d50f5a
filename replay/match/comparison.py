"""One comparison of two JSON values, place by place."""

from __future__ import annotations

import re
from collections.abc import Set
from typing import NamedTuple

from recorder.redact.secrets import MARKER
from replay.match.ids import Bindings
from replay.match.jsontext import Json, Number, shown
from replay.match.multiset import pair
from replay.match.rulebook import Place
from replay.match.rules import Path, Rule, written
from replay.match.verbs import ABSENT, accepting, decides, refusal

_MARKER = re.compile(MARKER.pattern.decode())


class Difference(NamedTuple):
    """The first place where two messages differ: `$.item.content[0].text`, both values, and the
    rule that would accept it (``""`` if no rule can). `reference` is a live id that stands for
    another thing than on the tape."""

    path: str
    expected: str
    got: str
    accept: str = ""
    reference: str = ""


class _Plain(NamedTuple):
    """Two unequal strings that may turn out to be the two names of one id."""

    path: Path
    want: str
    got: str


class Comparison:
    """Compares once, with its own copy of the bindings. `minted` are the ids that the client of
    the tape made; `used` are the rules that held somewhere."""

    def __init__(self, type_: str, bindings: Bindings, minted: Set[str]) -> None:
        self.bindings = Bindings(bindings) if minted else bindings
        self.used: set[Rule] = set()
        self._type, self._minted = type_, minted
        self._plain: list[_Plain] = []

    def run(self, place: Place, want: Json, got: Json, path: Path = ()) -> Difference | None:
        """The first difference, or None."""
        found = self._compare(place, path, want, got)
        if found is not None:
            return found
        for where, recorded, live in self._plain:
            if self.bindings.renamed.get(recorded) != live:
                return self._differ(where, recorded, live)
        return None

    def _compare(self, place: Place, path: Path, want: Json, got: Json) -> Difference | None:
        rule = place.rule
        if rule is not None and decides(rule, want, got):
            return self._by_rule(rule, place, path, want, got)
        if place.id_kind and type(want) is str and type(got) is str:
            return self._id(place.id_kind, path, want, got)
        if place.is_volatile:
            return None
        if isinstance(want, dict) and isinstance(got, dict):
            return self._objects(place, path, want, got)
        if isinstance(want, list) and isinstance(got, list):
            return self._lists(place, path, want, got)
        if type(want) is str and type(got) is str:
            self._strings(path, want, got)
            return None
        same = type(want) is type(got) and (
            want.value == got.value if isinstance(want, Number) else want == got
        )
        return None if same else self._differ(path, want, got)

    def _by_rule(
        self, rule: Rule, place: Place, path: Path, want: Json, got: Json
    ) -> Difference | None:
        self.used.add(rule)
        if rule.verb == "unordered":
            return self._unordered(place, path, want, got)
        taken = refusal(rule, want, got)
        if taken is not None:
            return Difference(written(path), taken, shown(got), self._accepting(path, want, got))
        is_id = type(want) is str and type(got) is str
        if place.id_kind and is_id and want in self._minted:
            self.bindings.bind(place.id_kind, want, got)  # if it can be: the rule takes any other
        return None

    def _id(self, kind: str, path: Path, want: str, got: str) -> Difference | None:
        if want not in self._minted:
            return None if want == got else self._refer(path, want, got)
        bound, stands_for = self.bindings.live(kind, want), self.bindings.recorded(kind, got)
        if self.bindings.bind(kind, want, got):
            return None
        found = shown(got) + (f", which is {shown(stands_for)} of the tape" if stands_for else "")
        expected = f"another id, for {shown(want)} of the tape"
        if bound:
            expected = f"{shown(bound)}, which is {shown(want)} of the tape"
        return Difference(written(path), expected, found, self._accepting(path, want, got), got)

    def _strings(self, path: Path, want: str, got: str) -> None:
        if want != got and not _is_secret_of(want, got):
            self._plain.append(_Plain(path, want, got))

    def _objects(
        self, place: Place, path: Path, want: dict[str, Json], got: dict[str, Json]
    ) -> Difference | None:
        for key in sorted({*want, *got}, key=lambda key: (key != "type", key)):
            below, there = place.down(key), (*path, key)
            if key in want and key in got:
                found = self._compare(below, there, want[key], got[key])
            else:
                found = self._one_sided(below, there, want.get(key, ABSENT), got.get(key, ABSENT))
            if found is not None:
                return found
        return None

    def _lists(
        self, place: Place, path: Path, want: list[Json], got: list[Json]
    ) -> Difference | None:
        for index in range(max(len(want), len(got))):
            one, other = (side[index] if index < len(side) else ABSENT for side in (want, got))
            below, there = place.down(index), (*path, index)
            if ABSENT not in (one, other):
                found = self._compare(below, there, one, other)
            else:
                found = self._one_sided(below, there, one, other, in_list=True)
            if found is not None:
                return found
        return None

    def _one_sided(
        self, place: Place, path: Path, want: Json, got: Json, in_list: bool = False
    ) -> Difference | None:
        """What only one side has: a key with null is as good as absent where the rules do not
        object."""
        rule = place.rule
        if rule is not None and rule.verb == "ignore" and decides(rule, want, got):
            self.used.add(rule)
            return None
        value = want if got is ABSENT else got
        if not in_list and (place.is_volatile or (value is None and not place.keeps_null)):
            return None
        return self._differ(path, want, got)

    def _unordered(
        self, place: Place, path: Path, want: list[Json], got: list[Json]
    ) -> Difference | None:
        """The elements in any order: each of the tape's goes with one of the live ones."""

        def fits(at: int, other: int) -> bool:
            trial = Comparison(self._type, self.bindings, self._minted)
            return trial.run(place.down(at), want[at], got[other]) is None

        pairs = pair(len(want), len(got), fits)
        lone = [at for at in range(len(want)) if at not in pairs]
        spare = [at for at in range(len(got)) if at not in pairs.values()]
        pairs.update(zip(lone, spare, strict=False))  # those differ, and are told
        for at, other in sorted(pairs.items()):
            found = self._compare(place.down(at), (*path, at), want[at], got[other])
            if found is not None:
                return found
        alone = [(at, want[at], ABSENT) for at in lone[len(spare) :]]
        alone += [(len(want) + more, ABSENT, got[at]) for more, at in enumerate(spare[len(lone) :])]
        for at, one, nothing in alone:
            found = self._one_sided(place.down(at), (*path, at), one, nothing, in_list=True)
            if found is not None:
                return found
        return None

    def _differ(self, path: Path, want: Json, got: Json) -> Difference:
        expected, found = ("absent" if side is ABSENT else shown(side) for side in (want, got))
        return Difference(written(path), expected, found, self._accepting(path, want, got))

    def _refer(self, path: Path, want: str, got: str) -> Difference:
        return self._differ(path, want, got)._replace(reference=got)

    def _accepting(self, path: Path, want: Json, got: Json) -> str:
        return accepting(self._type, path, want, got)


def _is_secret_of(want: str, got: str) -> bool:
    """Whether `want` has markers of redacted secrets and `got` the same text around them."""
    if "[redacted" not in want:
        return False
    around = map(re.escape, _MARKER.split(want))
    return re.fullmatch(".+?".join(around), got, re.S) is not None
