"""Student's t for whole degrees of freedom, which is all that scenarios ask for, and the normal.

The distribution has a closed form there (Abramowitz and Stegun, 26.7.3 and 26.7.4), so that it
takes no library of statistics.
"""

from __future__ import annotations

from functools import cache
from math import atan, cos, inf, pi, sin, sqrt
from statistics import NormalDist
from typing import Final

_NORMAL: Final = NormalDist()
_STEPS: Final = 200


def within(t: float, freedom: int) -> float:
    """The probability that Student's t with `freedom` degrees lies between -t and t, t from 0."""
    theta = atan(t / sqrt(freedom))
    square = cos(theta) ** 2
    first, odd = (cos(theta), 1) if freedom % 2 else (1.0, 0)
    term, total = first, first if freedom > 1 else 0.0
    for k in range(2 + odd, freedom - 1, 2):
        term *= square * (k - 1) / k
        total += term
    if freedom % 2:
        return 2 / pi * (theta + sin(theta) * total)
    return sin(theta) * total


def two_sided(t: float, freedom: int) -> float:
    """The p-value of a t, of either sign."""
    return max(0.0, 1 - within(abs(t), freedom)) if abs(t) < inf else 0.0


@cache
def critical(confidence: float, freedom: int) -> float:
    """The t within which, to both sides, `confidence` of the distribution lies."""
    low, high = 0.0, 1.0
    while within(high, freedom) < confidence:
        high *= 2
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if within(middle, freedom) < confidence else (low, middle)
    return high


def normal_quantile(share: float) -> float:
    """The z below which a share of the normal distribution lies."""
    return _NORMAL.inv_cdf(share)
