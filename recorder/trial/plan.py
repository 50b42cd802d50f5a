"""Which runs a trial has, and in what order."""

from __future__ import annotations

import random
import zlib
from collections.abc import Collection, Sequence
from typing import NamedTuple


class Run(NamedTuple):
    """One conversation of a trial. `order` counts the runs from 1, `block` the pairs: the runs of
    one scenario and repeat, one for each provider, next to each other in time."""

    order: int
    block: int
    scenario: str
    provider: str
    repeat: int

    @property
    def key(self) -> tuple[str, str, int]:
        """What tells it from the other runs of the trial."""
        return self.scenario, self.provider, self.repeat

    def seed(self, trial_seed: int) -> int:
        """Of a simulator: the same whenever the run takes place, and another for each run."""
        return zlib.crc32(f"{trial_seed}/{self.scenario}/{self.provider}/{self.repeat}".encode())


def plan(scenarios: Sequence[str], providers: Sequence[str], repeat: int, seed: int) -> list[Run]:
    """All runs: the blocks in random order, and the providers in each block too."""
    chance = random.Random(f"trial/{seed}")
    blocks = [(scenario, number) for number in range(1, repeat + 1) for scenario in scenarios]
    chance.shuffle(blocks)
    runs: list[Run] = []
    for block, (scenario, number) in enumerate(blocks, 1):
        order = list(providers)
        chance.shuffle(order)
        for provider in order:
            runs.append(Run(len(runs) + 1, block, scenario, provider, number))
    return runs


def left(runs: Sequence[Run], done: Collection[tuple[str, str, int]]) -> list[Run]:
    """The runs that are still to take place."""
    return [run for run in runs if run.key not in done]
