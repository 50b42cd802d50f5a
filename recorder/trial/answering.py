"""Answers to function calls that the client runs itself: each when it is due, then the wish for a
reply."""

from __future__ import annotations

from typing import NamedTuple


class Called(NamedTuple):
    """A function that the provider called, and what it was told."""

    name: str
    arguments: str
    output: str


class _Due(NamedTuple):
    at_ns: int
    call: str
    called: Called


class Answering:
    """Keeps the answers that are not given yet."""

    def __init__(self) -> None:
        self._waiting: list[_Due] = []

    def add(self, at_ns: int, call: str, called: Called) -> None:
        """An answer to be given at `at_ns`."""
        self._waiting.append(_Due(at_ns, call, called))

    def due(self, now: int) -> list[tuple[str, Called]]:
        """The answers to be given by `now`, each with the id of its call: in order of their times,
        and of the calls."""
        ready = [each for each in self._waiting if each.at_ns <= now]
        ready.sort(key=lambda each: each.at_ns)
        self._waiting = [each for each in self._waiting if each.at_ns > now]
        return [(each.call, each.called) for each in ready]

    def next(self) -> int | None:
        """When the next answer is due."""
        return min((each.at_ns for each in self._waiting), default=None)

    @property
    def is_empty(self) -> bool:
        """Whether all answers have been given."""
        return not self._waiting
