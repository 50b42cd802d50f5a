"""Units that belong together, compared: what is left is differences."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from recorder.providers.base import Provider
from recorder.report.wording import clip
from replay.diff.clips import Clip, parting
from replay.diff.differences import Difference, Grade, Kind, What
from replay.diff.kinds import kind_at
from replay.diff.pairing import Pair
from replay.diff.places import Books
from replay.diff.reading import Unit
from replay.diff.turns import Turns
from replay.diff.values import Change, Walk, text
from replay.match.hearing import AudioMode
from replay.match.jsontext import shown
from replay.match.rules import Path, written

_MS = 1e6
_NEW: tuple[What, Grade] = ("added", "low")
_LOST: tuple[What, Grade] = ("removed", "high")
_TOLD = 120  # characters of a message that is told as it stands
_SAID: frozenset[Kind] = frozenset({"text", "tool", "audio"})
"""What a provider tells several times, at different places: in a stream, an item, an answer."""


class _Looked(NamedTuple):
    """A pair that was looked at, with its changes."""

    pair: Pair
    changes: list[Change]


class Comparing:
    """Makes differences of pairs."""

    def __init__(
        self,
        books: Books,
        provider: Provider,
        turns: Turns,
        timing_ms: float | None,
        audio: AudioMode,
    ) -> None:
        self.walk = Walk(books)
        self._books, self._rules, self._provider = books, books.rules, provider
        self._turns, self._timing_ms, self._audio = turns, timing_ms, audio

    def run(self, pairs: Sequence[Pair]) -> tuple[Difference, ...]:
        """All differences, in the order of the pairs; what is told several times in one turn is
        one, with all its places."""
        looked = [_Looked(each, self._changes(each)) for each in pairs]
        found = [difference for each in looked for difference in self._differences(each)]
        if self._timing_ms is not None:
            found += self._timing(pairs, self._timing_ms)
        found.sort(key=lambda each: each.turn)
        return tuple(_joined(found))

    def _changes(self, pair: Pair) -> list[Change]:
        if pair.a is None or pair.b is None:
            return []
        return self.walk.changes(pair.a, pair.b)

    def _differences(self, looked: _Looked) -> Iterator[Difference]:
        pair, changes = looked
        a, b = pair.a, pair.b
        if a is None or b is None:
            yield from self._alone(pair)
            return
        if pair.over:
            where = (_beside(a, pair.over[0]), _beside(b, pair.over[1]))
            yield self._one(pair, "$", "order", "medium", "moved", where)
        for each in self.walk.settled(changes):
            yield self._changed(pair, a, each)
        if a.clip or b.clip:
            yield from self._clips(pair, a.clip, b.clip, a.clip_path)

    def _changed(self, pair: Pair, a: Unit, change: Change) -> Difference:
        path, what, grade, one, other, rule, is_reference = change
        if is_reference or what in ("added", "removed", "retyped"):
            kind: Kind = "structure"
        else:
            kind = kind_at(a.type, path)
        return self._one(pair, written(path), kind, grade, what, (text(one), text(other)), rule)

    def _clips(
        self, pair: Pair, one: Clip | None, other: Clip | None, path: Path
    ) -> Iterator[Difference]:
        if self._audio == "ignore":
            return
        place = written(path)
        if one is None or other is None:
            sides = (str(one) if one else None, str(other) if other else None)
            what, grade = _LOST if one else _NEW
            yield self._one(pair, place, "audio", grade, what, sides)
            return
        found = parting(one, other, self._audio)
        if found:
            b = f"{found.b}: {found.where}"
            yield self._one(pair, place, "audio", "medium", "changed", (found.a, b))

    def _alone(self, pair: Pair) -> Iterator[Difference]:
        """A message that only one tape has. What depends on timing may be missing or extra."""
        unit = pair.a or pair.b
        assert unit is not None
        if self.walk.takes(unit):
            return
        what: What = "removed" if pair.a else "added"
        is_loose = unit.rules in self._rules.tolerated or (
            f"{unit.rules.partition(' ')[0]} *" in self._rules.tolerated
        )
        grade: Grade = "low" if is_loose else "high" if pair.a else "medium"
        kind: Kind = "order" if is_loose else "structure"
        told = self._told(unit)
        sides = (told, None) if pair.a else (None, told)
        yield self._one(pair, "$", kind, grade, what, sides)

    def _told(self, unit: Unit) -> str:
        """What a unit says, in a few words."""
        if unit.clip:
            return str(unit.clip)
        value = json.loads(shown(unit.value))
        said = self._provider.describe(unit.rules, value) if isinstance(value, dict) else ""
        is_known = unit.rules and not unit.is_http  # its type says it all
        return said if said or is_known else clip(shown(unit.value), _TOLD)

    def _one(
        self,
        pair: Pair,
        path: str,
        kind: Kind,
        grade: Grade,
        what: What,
        sides: tuple[str | None, str | None],
        rule: str = "",
    ) -> Difference:
        unit = pair.a or pair.b
        assert unit is not None
        names = self._books.ids(pair.a) if pair.a else ()
        return Difference(
            self._turns.of(pair.after, names),
            unit.lane.channel,
            unit.lane.sender,
            unit.type,
            path,
            kind,
            grade,
            what,
            *sides,
            pair.a.span if pair.a else None,
            pair.b.span if pair.b else None,
            (rule,) if rule else (),
        )

    def _timing(self, pairs: Iterable[Pair], tolerance_ms: float) -> Iterator[Difference]:
        """Gaps since the message before, in the order of the first tape."""
        before: tuple[int, int] | None = None
        for pair in pairs:
            if pair.a is None or pair.b is None:
                continue
            at = (pair.a.at_ns, pair.b.at_ns)
            if before is not None:
                gaps = ((at[0] - before[0]) / _MS, (at[1] - before[1]) / _MS)
                if abs(gaps[1] - gaps[0]) > tolerance_ms:
                    what: What = "later" if gaps[1] > gaps[0] else "sooner"
                    sides = (f"{gaps[0]:.0f} ms after", f"{gaps[1]:.0f} ms after")
                    yield self._one(pair, "$", "timing", "low", what, sides)
            before = at


def _beside(unit: Unit, other: Unit) -> str:
    """Where a unit stands, told by another one that it is before or after."""
    side = "before" if unit.span.first < other.span.first else "after"
    return f"{side} {other.type} (event {other.span.first})"


def _joined(differences: Iterable[Difference]) -> Iterator[Difference]:
    """What is told several times in a turn, once."""
    found: dict[object, Difference] = {}
    for at, each in enumerate(differences):
        key: object = at
        if each.kind in _SAID and each.what == "changed":
            key = (each.turn, each.kind, each.a, each.b)
        elif each.path != "$":  # an item is told when it is added, and when it is done
            key = (each.turn, each.kind, each.a, each.b, each.path)
        first = found.setdefault(key, each)
        if first is not each:
            also = (*first.also, f"{each.type} {each.path}")
            rules = tuple(dict.fromkeys((*first.rules, *each.rules)))
            found[key] = first._replace(also=also, rules=rules)
    yield from found.values()
