"""Drawing scenarios anew, with all that belongs to them: never turns, which are not independent."""

from __future__ import annotations

import zlib
from math import floor, log2
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int32]

DRAWS: Final = 2000
_EXACT: Final = 15  # scenarios up to which every swap of labels is counted
_SWAPS: Final = 1 << (_EXACT - 1)


def chance(name: str) -> np.random.Generator:
    """Random numbers that are the same each time for a name, so that an interval is too."""
    return np.random.default_rng(zlib.crc32(name.encode()))


def draw(scenarios: int, random: np.random.Generator, draws: int = DRAWS) -> Counts:
    """How often each scenario is in each draw: a row a draw."""
    drawn = random.integers(0, scenarios, (draws, scenarios))
    cells = (drawn + np.arange(draws)[:, None] * scenarios).ravel()
    found = np.bincount(cells, minlength=draws * scenarios)
    return found.reshape(draws, scenarios).astype(np.int32)


def quantiles(values: Floats, scenario: NDArray[np.intp], share: float, counts: Counts) -> Floats:
    """The quantile of all values in each draw, by nearest rank: the smallest value that `share` of
    them do not exceed. `scenario` is the number of each value's."""
    order = np.argsort(values, kind="stable")
    size, scenarios = len(values), counts.shape[1]
    first = np.zeros((size + 1, scenarios), np.int32)  # of each scenario, among the k smallest
    first[np.arange(1, size + 1), scenario[order]] = 1
    np.cumsum(first, axis=0, out=first)
    rank = np.ceil(share * (counts @ first[-1]) - 1e-9)
    low, high = np.zeros(len(counts), np.intp), np.full(len(counts), size)
    for _ in range(size.bit_length()):  # a binary search in all draws at once
        middle = (low + high) // 2
        enough = np.einsum("ij,ij->i", counts, first[middle]) >= rank
        low, high = np.where(enough, low, middle + 1), np.where(enough, middle, high)
    return np.asarray(values[order][high - 1], np.float64)


def sums(values: Floats, counts: Counts) -> Floats:
    """The sum over the scenarios of each draw."""
    return np.asarray(counts @ values, dtype=np.float64)


def error(drawn: Floats, scenarios: int | None = None) -> float:
    """The standard error that draws show. That of sums over n scenarios is too small by
    sqrt(1 - 1/n), which is put right where `scenarios` is given; that of a quantile is not
    (docs/compare.md has what was measured)."""
    narrowed = 1.0 if scenarios is None else (1 - 1 / scenarios) ** 0.5
    return float(np.std(drawn, ddof=1)) / narrowed


def swapped_p(
    baseline: tuple[Floats, Floats], challenger: tuple[Floats, Floats], random: np.random.Generator
) -> float:
    """The p-value of a difference of two rates, each given as events and chances by scenario: how
    often it is as large if the arms of each scenario change names at random. All ways for up to 15
    scenarios, else 16,384 of them. Differences that are equal count half (mid-p), because there are
    few different ones."""
    hits, chances = (np.stack(pair) for pair in zip(baseline, challenger, strict=True))
    scenarios = hits.shape[1]
    if scenarios <= _EXACT:
        numbers = np.arange(1 << (scenarios - 1))  # the other half mirrors them
        swaps = (numbers[:, None] >> np.arange(scenarios)) & 1
    else:
        swaps = random.integers(0, 2, (_SWAPS, scenarios))
    found = _rate(hits, chances, swaps) - _rate(hits, chances, 1 - swaps)
    seen = abs(float(hits[1].sum() / chances[1].sum() - hits[0].sum() / chances[0].sum()))
    if seen < 1e-12:
        return 1.0
    size = np.abs(found)
    ties = np.isclose(size, seen, rtol=0, atol=1e-9)
    return float(np.mean((size > seen) & ~ties) + np.mean(ties) / 2)


def fewest_swapped(alpha: float) -> int:
    """With how many scenarios `swapped_p` can be below `alpha` at all: it is at least 1 / 2**n."""
    return floor(log2(1 / alpha)) + 1


def _rate(hits: Floats, chances: Floats, swaps: NDArray[np.int_]) -> Floats:
    """The rate of the arm that takes row `swaps[k]` of scenario k; 0 where it had no chance."""
    of, per = (rows[0].sum() + swaps @ (rows[1] - rows[0]) for rows in (hits, chances))
    found: Floats = np.divide(of, per, out=np.zeros(len(swaps)), where=per > 0)
    return found
