"""Simulated trials whose truth is known: how waits, costs and failures vary."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recorder.comparison.estimating import Sums, Values

BASE_MS = 800.0


@dataclass(frozen=True)
class Shape:
    """A trial's size, and what the second arm differs by: `scale` and `shift_ms` of its waits,
    `usd_scale` of its bill, and the probabilities that a call fails in each."""

    scenarios: int = 10
    repeats: int = 5
    turns: int = 6
    scale: float = 1.0
    shift_ms: float = 0.0
    usd_scale: float = 1.0
    failing: tuple[float, float] = (0.1, 0.1)
    calls: int = 4


def waits(shape: Shape, random: np.random.Generator) -> tuple[Values, Values]:
    """Voice-to-voice times of two arms. Standard deviations of logarithms: scenario .15 (shared),
    scenario and arm .06, run .12, turn .30; 4 % of turns take 1.8 to 4 times as long."""
    s, r, t = shape.scenarios, shape.repeats, shape.turns
    shared = random.normal(0, 0.15, (s, 1, 1))
    number = np.repeat(np.arange(s), r * t)
    arms = []
    for scale, shift_ms in ((1.0, 0.0), (shape.scale, shape.shift_ms)):
        logs = shared + random.normal(0, 0.06, (s, 1, 1)) + random.normal(0, 0.12, (s, r, 1))
        logs = logs + random.normal(0, 0.30, (s, r, t))
        tail = np.where(random.random((s, r, t)) < 0.04, random.uniform(1.8, 4, (s, r, t)), 1.0)
        times = scale * BASE_MS * np.exp(logs) * tail + shift_ms
        arms.append(Values(times.ravel(), number, s * r))
    return arms[0], arms[1]


def bills(shape: Shape, random: np.random.Generator) -> tuple[Sums, Sums]:
    """Dollars and minutes by scenario. Logarithms: scenario .30, scenario and arm .10, run .20."""
    s, r = shape.scenarios, shape.repeats
    shared = random.normal(0, 0.3, (s, 1))
    arms = []
    for scale in (1.0, shape.usd_scale):
        logs = shared + random.normal(0, 0.10, (s, 1)) + random.normal(0, 0.20, (s, r))
        minutes = random.uniform(0.8, 1.2, (s, r))
        usd = 0.05 * scale * np.exp(logs) * minutes
        arms.append(Sums(usd.sum(1), minutes.sum(1), s * r))
    return arms[0], arms[1]


def failures(shape: Shape, random: np.random.Generator) -> tuple[Sums, Sums]:
    """Failed calls and calls by scenario, all independent."""
    s, calls = shape.scenarios, shape.repeats * shape.calls
    made = np.full(s, float(calls))
    a, b = (
        Sums(random.binomial(calls, p, s) * 1.0, made, s * shape.repeats) for p in shape.failing
    )
    return a, b
