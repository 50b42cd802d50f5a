"""Personal data: telephone numbers, and the words of a conversation. It leaves only where it is
asked to (`Secrets.personal`).

Its marker has no digits: there are so few telephone numbers, and so few short answers, that a mark
made of one could be undone by trying them all.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_SPELLED = re.compile(rb'("bytes"\s*:\s*)\[[0-9,\s]+\]')


Path = tuple[str | int, ...]


class Personal(NamedTuple):
    """Where the messages of a provider have personal data.

    A place is the end of a dotted JSON path: `customer.number`. `*` stands for any key or index,
    a last `**` for all that is below. Only texts are looked at. In an event of one of the types
    `kept`, only telephone numbers are.
    """

    places: tuple[str, ...] = ()
    kept: frozenset[str] = frozenset()


class Places:
    """Tells whether a path is one of `Personal.places`; `names` are the last names of these, by
    which a field is told in a text that is not whole."""

    def __init__(self, places: tuple[str, ...]) -> None:
        steps = [place.split(".") for place in places]
        self._above = [tuple(each[:-1]) for each in steps if each[-1] == "**"]
        self._ends: dict[str, list[tuple[str, ...]]] = {}
        for each in steps:
            if each[-1] != "**":
                self._ends.setdefault(each[-1], []).append(tuple(each))
        plain = (each[-2] if each[-1] == "**" else each[-1] for each in steps)
        self.names = frozenset(name for name in plain if name != "*")
        quoted = "|".join(map(re.escape, self.names))
        self._hint = re.compile(f"[\"'](?:{quoted})[\"']".encode()).search

    def is_hinted(self, text: bytes) -> bool:
        """Whether a name stands in `text` as a field's does; one that is escaped does not."""
        return self._hint(text) is not None

    def __contains__(self, path: Path) -> bool:
        if not path:
            return False
        ends = (*self._ends.get(str(path[-1]), ()), *self._ends.get("*", ()))
        return any(_ends_with(path, steps) for steps in ends) or any(
            _ends_with(path[:at], steps) for steps in self._above for at in range(1, len(path))
        )


def _ends_with(path: Path, steps: tuple[str, ...]) -> bool:
    last = path[len(path) - len(steps) :] if len(steps) <= len(path) else ()
    return bool(last) and all(step in ("*", key) for step, key in zip(steps, last, strict=True))


def unspelled(body: bytes) -> bytes:
    """`body` without the byte values that log probabilities give beside each token."""
    return _SPELLED.sub(rb"\1[]", body) if b'"bytes"' in body else body
