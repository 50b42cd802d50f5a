"""What a comparison rests on: the runs of a trial, as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

Count = tuple[float, float]
"""Of what there were so many, and in how many chances: failures and calls, dollars and minutes."""


@dataclass(frozen=True)
class Ran:
    """A run that took place. `broken` are the rules that exclude it. `values` are measured values
    by metric, `counts` what `sources.SOURCES` names; None where it is not known."""

    session: str
    arm: str
    scenario: str
    repeat: int
    target: str
    model: str | None
    wall_ns: int
    turns: int
    broken: tuple[str, ...] = ()
    values: Mapping[str, Sequence[float]] = field(default_factory=dict)
    counts: Mapping[str, Count | None] = field(default_factory=dict)

    @property
    def is_valid(self) -> bool:
        """Whether it counts."""
        return not self.broken


class Tape(NamedTuple):
    """A tape of a run that did not take place, or was held again; `rules` are those that excluded
    it, if it was held again because of them."""

    session: str
    arm: str
    rules: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """A trial. `criteria` are the digests of the criteria that its runs were begun with: None for a
    run that was begun with none. `planned` is how many runs an arm was to have, where tapes tell.
    """

    trial: str
    runs: tuple[Ran, ...]
    not_held: tuple[Tape, ...] = ()
    criteria: frozenset[str | None] = frozenset({None})
    price_books: tuple[str, ...] = ()
    planned: Mapping[str, int] = field(default_factory=dict)

    @property
    def arms(self) -> tuple[str, ...]:
        """The providers of its runs."""
        return tuple(sorted({run.arm for run in self.runs}))

    @property
    def begun_ns(self) -> int:
        """When its first run began: nanoseconds since 1970."""
        return min(run.wall_ns for run in self.runs)
