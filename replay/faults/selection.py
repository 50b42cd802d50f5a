"""Which fault is applied to what crosses: by place, by count, or by chance from a seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fnmatch import fnmatchcase
from random import Random
from typing import NamedTuple

from replay.faults.grammar import Fault, Place


class Crossing(NamedTuple):
    """Something that a fault may be applied to: an `open`, a `request`, a `webhook`, or a message
    of a WebSocket (place `type`; `ends_response` if it ends a response). `name` is its type, or the
    path of a request; `step` its number."""

    place: Place
    channel: int
    name: str = ""
    method: str = ""
    step: int = 0
    ends_response: bool = False


class Chosen(NamedTuple):
    """A fault that is to be applied, and the chance for what it leaves open."""

    fault: Fault
    random: Random


class Selection:
    """Counts what crosses, for each of `faults`. What is left to chance depends on the seed, the
    fault, the channel, and how many have crossed there that fit; so not on timing."""

    def __init__(self, faults: Sequence[Fault], seed: int) -> None:
        self._faults, self._seed = faults, seed
        self._fitting: Counter[int] = Counter()  # by fault
        self._on_channel: Counter[tuple[int, int]] = Counter()  # by fault and channel
        self._done: set[int] = set()  # those that happen once and have happened

    def choose(self, crossing: Crossing) -> Chosen | None:
        """The first fault that is due here; the others count on."""
        due: Chosen | None = None
        for number, fault in enumerate(self._faults):
            if not _fits(fault, crossing):
                continue
            random = self._hit(number, fault, crossing)
            if random and due is None:
                due = Chosen(fault, random)
                if fault.where.place == "step":
                    self._done.add(number)
        return due

    def _hit(self, number: int, fault: Fault, crossing: Crossing) -> Random | None:
        """Whether it is this one's turn: a source of chance if so."""
        if number in self._done:
            return None
        self._fitting[number] += 1
        self._on_channel[number, crossing.channel] += 1
        if fault.nth and fault.nth != self._fitting[number]:
            return None
        count = self._on_channel[number, crossing.channel]
        random = Random(f"{self._seed} {number} {crossing.channel} {count}")
        return random if random.random() < fault.chance else None


def _fits(fault: Fault, crossing: Crossing) -> bool:
    where = fault.where
    if where.place == "step":
        return crossing.place in ("type", "webhook") and crossing.step >= where.number
    if where.place == "response":
        return crossing.ends_response
    if where.place != crossing.place or not fnmatchcase(crossing.name, where.pattern):
        return False
    return where.method in ("*", crossing.method)
