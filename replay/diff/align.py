"""Which elements of two sequences belong together, in order."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

Pair = tuple[int, int]
Box = tuple[int, int, int, int]  # from and to in the first, from and to in the second
Score = Callable[[int, int], float]


class Key(NamedTuple):
    """What an element is: only those of one sort can belong together, and those that are equal in
    content, too, do so at once."""

    sort: str
    content: str


_CELLS = 20_000
"""The most pairs of elements that are scored one by one; a larger stretch is paired by counting."""


def align(a: Sequence[Key], b: Sequence[Key], score: Score) -> list[Pair]:
    """Pairs of indexes, both increasing.

    Equal elements at both ends are paired, then those that are there once in either sequence
    (patience), and between them whatever scores best in sum. `score` tells how alike two elements
    of one sort are, above 0.
    """
    found: list[Pair] = []
    todo = [(0, len(a), 0, len(b))]
    while todo:
        start, end, low, high = todo.pop()
        while start < end and low < high and a[start] == b[low]:
            found.append((start, low))
            start, low = start + 1, low + 1
        while start < end and low < high and a[end - 1] == b[high - 1]:
            end, high = end - 1, high - 1
            found.append((end, high))
        if start == end or low == high:
            continue
        box = (start, end, low, high)
        anchors = increasing(_unique(a, b, box))
        if not anchors and (end - start) * (high - low) <= _CELLS:
            found += _best(a, b, box, score)
            continue
        anchors = anchors or _counted(a, b, box)
        if anchors:
            todo += _between(anchors, box)
        else:
            found += _counted(_sorts(a), _sorts(b), box)
        found += anchors
    return sorted(found)


def _sorts(keys: Sequence[Key]) -> list[Key]:
    """Keys without their content."""
    return [key._replace(content="") for key in keys]


def _unique(a: Sequence[Key], b: Sequence[Key], box: Box) -> Iterator[Pair]:
    """Elements that are there once in each, by their place in the first."""
    start, end, low, high = box
    ones, others = Counter(a[start:end]), Counter(b[low:high])
    places = {b[at]: at for at in range(low, high) if others[b[at]] == 1}
    for at in range(start, end):
        if ones[a[at]] == 1 and a[at] in places:
            yield at, places[a[at]]


def increasing(pairs: Iterable[Pair]) -> list[Pair]:
    """The longest part of `pairs`, increasing in the first, that increases in the second, too."""
    tails: list[int] = []
    chain: list[tuple[Pair, int]] = []  # a pair and the one before it in its run
    last: list[int] = []
    for pair in pairs:
        size = bisect_left(tails, pair[1])
        before = last[size - 1] if size else -1
        chain.append((pair, before))
        if size == len(tails):
            tails.append(pair[1])
            last.append(len(chain) - 1)
        else:
            tails[size], last[size] = pair[1], len(chain) - 1
    kept: list[Pair] = []
    at = last[-1] if last else -1
    while at >= 0:
        pair, at = chain[at]
        kept.append(pair)
    return kept[::-1]


def _between(anchors: Sequence[Pair], box: Box) -> Iterator[Box]:
    start, end, low, high = box
    for one, other in (*anchors, (end, high)):
        yield start, one, low, other
        start, low = one + 1, other + 1


def _best(a: Sequence[Key], b: Sequence[Key], box: Box, score: Score) -> list[Pair]:
    """The pairs of the highest sum (Needleman and Wunsch, without a cost of gaps)."""
    start, end, low, high = box
    scores = [
        [score(at, other) if a[at].sort == b[other].sort else 0.0 for other in range(low, high)]
        for at in range(start, end)
    ]
    sums = [[0.0] * (high - low + 1)]
    for row in scores:
        above, mine = sums[-1], [0.0]
        for column, each in enumerate(row):
            mine.append(max(above[column] + each, above[column + 1], mine[column]))
        sums.append(mine)
    found: list[Pair] = []
    row_at, column = end - start, high - low
    while row_at and column:
        here = sums[row_at][column]
        if here == sums[row_at - 1][column]:
            row_at -= 1
        elif here == sums[row_at][column - 1]:
            column -= 1
        else:
            row_at, column = row_at - 1, column - 1
            found.append((start + row_at, low + column))
    return found


def _counted(a: Sequence[Key], b: Sequence[Key], box: Box) -> list[Pair]:
    """The first of equal elements with the first of the other sequence, and so on; of these
    pairs, those that keep the order."""
    start, end, low, high = box
    waiting: defaultdict[Key, deque[int]] = defaultdict(deque)
    for other in range(low, high):
        waiting[b[other]].append(other)
    mine = [at for at in range(start, end) if a[at] in waiting]
    return increasing([(at, waiting[a[at]].popleft()) for at in mine if waiting[a[at]]])
