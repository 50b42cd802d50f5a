"""Which units of two tapes belong together: lane by lane, and moved ones across a lane."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

from recorder.providers.base import Rules
from replay.diff.align import Key, align, increasing
from replay.diff.places import Books
from replay.diff.reading import Lane, Unit
from replay.match.jsontext import Json, canonical
from replay.match.rulebook import value_at

_ALIKE = 0.1  # of two units that have a type in common, and nothing else
_MUCH = 0.5  # of two units that may be the same at another place
_LEFT = 200  # units of a lane that are looked for at another place


class Pair(NamedTuple):
    """Two units that belong together, or one that is alone. `after` is the place in the first
    tape (a `seq`) where a unit of the second stands. `over`: the two are at different places, on
    either side of this unit, which both tapes have."""

    a: Unit | None
    b: Unit | None
    after: int
    over: tuple[Unit, Unit] | None = None


def pair(a: Sequence[Unit], b: Sequence[Unit], books: Books) -> list[Pair]:
    """All units of both tapes, in the order of the first."""
    ones, others = _by_lane(a), _by_lane(b)
    found: list[Pair] = []
    for lane in dict.fromkeys((*ones, *others)):
        found += _paired(ones.get(lane, []), others.get(lane, []), books)
    return sorted(_placed(found), key=_order)


def _placed(pairs: Sequence[Pair]) -> Iterator[Pair]:
    """The pairs, units that only the second tape has after what comes before them there."""
    both = sorted((each.b.span.first, each.after) for each in pairs if each.a and each.b)
    starts = [start for start, _ in both]
    for each in pairs:
        if each.a is None and each.b is not None:
            at = bisect_right(starts, each.b.span.first)
            yield each._replace(after=both[at - 1][1] if at else 0)
        else:
            yield each


def _order(each: Pair) -> tuple[int, bool, int]:
    return each.after, each.a is None, each.b.span.first if each.b else 0


def _by_lane(units: Sequence[Unit]) -> dict[Lane, list[Unit]]:
    lanes: defaultdict[Lane, list[Unit]] = defaultdict(list)
    for unit in units:
        lanes[unit.lane].append(unit)
    return dict(lanes)


def _paired(a: list[Unit], b: list[Unit], books: Books) -> Iterator[Pair]:
    ones, others = ([Element(unit, books) for unit in side] for side in (a, b))
    pairs = align(
        [each.key for each in ones],
        [each.key for each in others],
        lambda at, to: ones[at].likeness(others[to]),
    )
    partner = dict(pairs)
    lone = [at for at in range(len(a)) if at not in partner]
    spare = sorted(set(range(len(b))) - set(partner.values()))
    partner.update(_moved(ones, others, lone, spare))
    ordered = [
        (at, to) for at, to in sorted(partner.items()) if not _is_parallel(a[at], books.rules)
    ]
    stayed = increasing(ordered)
    moves = set(ordered) - set(stayed)
    for at, unit in enumerate(a):
        to = partner.get(at)
        other = None if to is None else b[to]
        crossed = _crossed((at, to), stayed) if to is not None and (at, to) in moves else None
        over = None if crossed is None else (a[crossed[0]], b[crossed[1]])
        yield Pair(unit, other, unit.span.first, over)
    for to in set(range(len(b))) - set(partner.values()):
        yield Pair(None, b[to], 0)


def _crossed(move: tuple[int, int], stayed: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Of the pairs that kept their order the nearest one on whose other side a unit is now."""
    at, to = move
    crossed = [pair for pair in stayed if (pair[0] < at) != (pair[1] < to)]
    return min(crossed, key=lambda pair: abs(pair[0] - at))


def _moved(
    ones: Sequence[Element], others: Sequence[Element], lone: Sequence[int], spare: Sequence[int]
) -> Iterator[tuple[int, int]]:
    """Those left over on both sides that say much the same: the likest first come together."""
    found = [
        (-ones[at].likeness(others[to]), at, to)
        for at in lone[:_LEFT]
        for to in spare[:_LEFT]
        if ones[at].key.sort == others[to].key.sort
    ]
    taken: set[tuple[str, int]] = set()
    for unlike, at, to in sorted(found):
        if -unlike >= _MUCH and taken.isdisjoint({("a", at), ("b", to)}):
            taken |= {("a", at), ("b", to)}
            yield at, to


def _is_parallel(unit: Unit, rules: Rules) -> bool:
    """Whether its place among others like it means nothing."""
    place = rules.parallel.get(unit.rules)
    return place is not None and value_at(unit.value, place) is not None


class Element:
    """A unit to be aligned: by its type, and by what it says apart from ids."""

    def __init__(self, unit: Unit, books: Books) -> None:
        self._value = books.masked(unit)
        sound = unit.clip.digest if unit.clip else ""
        self.key = Key(unit.type, canonical(self._value) + sound)

    @cached_property
    def _leaves(self) -> frozenset[tuple[str, str]]:
        return frozenset(_leaves(self._value, ""))

    def likeness(self, other: Element) -> float:
        """How much two of one type have in common: from `_ALIKE` to 1."""
        union = len(self._leaves | other._leaves)
        share = len(self._leaves & other._leaves) / union if union else 1.0
        return _ALIKE + (1 - _ALIKE) * share


def _leaves(value: Json, path: str) -> Iterator[tuple[str, str]]:
    """Values with their places; of a text its words, so that a changed one is still like it."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, f"{path}[]")
    elif type(value) is str:
        yield from ((path, word) for word in value.split())
    else:
        yield path, canonical(value)
