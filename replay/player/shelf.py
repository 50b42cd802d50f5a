"""Recorded requests, found by what they ask."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import NamedTuple

from recorder.heads import RequestHead
from replay.match.jsontext import Json, canonical
from replay.match.requests import request_value
from replay.script import ExchangeScript


class Asked(NamedTuple):
    """What a request asks: its `value` for comparing; `target` is where it goes, and `key` is the
    same for all requests that say exactly the same."""

    value: dict[str, Json]
    target: tuple[str, str]
    key: str


class Recorded(NamedTuple):
    """A recorded exchange; `number` tells it from an equal one."""

    number: int
    script: ExchangeScript
    asked: Asked


def asked(head: RequestHead, body: bytes, prefix: str) -> Asked:
    """What a request asks, with or without the `prefix` of a proxy in its path."""
    value = request_value(head, body)
    path = head.path.removeprefix(prefix)
    return Asked(value, (head.method, path), canonical({**value, "path": path}))


_Group = OrderedDict[int, Recorded]


class Shelf:
    """Recorded requests in an order, found in constant time by what they ask exactly, where they go
    to, or their type."""

    def __init__(self) -> None:
        self._held: _Group = OrderedDict()
        self._equal: dict[str, _Group] = {}
        self._kin: dict[tuple[str, str], _Group] = {}
        self._types: dict[str, _Group] = {}

    def add(self, recorded: Recorded, *, last: bool = True) -> None:
        """Put one last, or first."""
        for group in self._groups(recorded):
            group[recorded.number] = recorded
            group.move_to_end(recorded.number, last)

    def remove(self, recorded: Recorded) -> None:
        """Take one out."""
        for group in self._groups(recorded):
            del group[recorded.number]

    def _groups(self, recorded: Recorded) -> tuple[_Group, ...]:
        about = recorded.asked
        return (
            self._held,
            self._equal.setdefault(about.key, OrderedDict()),
            self._kin.setdefault(about.target, OrderedDict()),
            self._types.setdefault(recorded.script.type, OrderedDict()),
        )

    def clear(self) -> None:
        """Take all out."""
        for held in (self._held, self._equal, self._kin, self._types):
            held.clear()

    def __len__(self) -> int:
        return len(self._held)

    def __iter__(self) -> Iterator[Recorded]:
        return iter(self._held.values())

    def __contains__(self, recorded: Recorded) -> bool:
        return recorded.number in self._held

    def first(self, type_: str | None = None) -> Recorded | None:
        """The first one, or the first of a type."""
        return _first(self._held if type_ is None else self._types.get(type_))

    def equal(self, about: Asked) -> Recorded | None:
        """The first one that says exactly the same."""
        return _first(self._equal.get(about.key))

    def kin(self, about: Asked) -> Iterator[Recorded]:
        """Those that go to the same place, in order."""
        return iter(self._kin.get(about.target, {}).values())

    def strangers(self, about: Asked) -> Iterator[Recorded]:
        """All others, in order."""
        return (recorded for recorded in self if recorded.asked.target != about.target)


def _first(group: _Group | None) -> Recorded | None:
    return next(iter(group.values())) if group else None
