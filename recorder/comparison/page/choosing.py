"""Which turns are worth hearing side by side: each arm's usual one, and its worst."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Scripted(NamedTuple):
    """A turn as the caller's script has it: the same in every arm."""

    scenario: str
    repeat: int
    turn: int


class Choice(NamedTuple):
    """A turn to hear, and why it."""

    scripted: Scripted
    why: tuple[str, ...]


def choose(waits: Mapping[Scripted, Mapping[str, float]], arms: Sequence[str]) -> list[Choice]:
    """For each arm the turn with the median wait (of nearest rank) and that with the longest, among
    the turns that every arm answered; each turn once."""
    paired = {key: found for key, found in waits.items() if all(arm in found for arm in arms)}
    why: dict[Scripted, list[str]] = {}
    for arm in arms:
        ranked = sorted(paired, key=lambda key: (paired[key][arm], key))
        if ranked:
            why.setdefault(ranked[(len(ranked) + 1) // 2 - 1], []).append(f"{arm}: median wait")
            why.setdefault(ranked[-1], []).append(f"{arm}: longest wait")
    return [Choice(key, tuple(reasons)) for key, reasons in why.items()]
