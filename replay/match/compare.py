"""Does a client's message say what the recorded one said?

Compared is the JSON by structure: keys in any order, numbers by value, null as absent (except
where the rules say that it clears something). A secret that was redacted on the tape stands for
any text. Ids that the client of the tape minted are bound to those the live client mints; ids
that the provider minted must come back as they were sent.
"""

from __future__ import annotations

import re
from collections.abc import Set
from typing import NamedTuple

from recorder.redact.secrets import MARKER
from recorder.redact.walk import place as path_text
from replay.match.ids import Bindings
from replay.match.jsontext import Json, Number, parse, shown
from replay.match.rulebook import Path, Place, Rulebook, value_at

_ABSENT = "absent"
_MARKER = re.compile(MARKER.pattern.decode())


class Difference(NamedTuple):
    """The first place where two messages differ: `$.item.content[0].text`, and both values."""

    path: str
    expected: str
    got: str


class _Plain(NamedTuple):
    """Two unequal strings that may turn out to be the two names of one id."""

    path: Path
    want: str
    got: str


class Matcher:
    """Compares client messages; holds the ids bound so far.

    `minted` are the ids that the client of the tape made.
    """

    def __init__(self, book: Rulebook, minted: Set[str]) -> None:
        self.book = book
        self.bindings = Bindings()
        self._minted = minted

    def match(self, type_: str, expected: bytes, got: bytes) -> Difference | None:
        """None if `got` fits `expected`, and its ids are then bound; else the first difference."""
        difference, bindings = self._try(type_, expected, got)
        if difference is None:
            self.bindings = bindings
        return difference

    def difference(self, type_: str, expected: bytes, got: bytes) -> Difference | None:
        """As `match`, without binding anything."""
        return self._try(type_, expected, got)[0]

    def match_values(self, type_: str, expected: Json, got: Json) -> Difference | None:
        """As `match`, for JSON that is parsed already."""
        comparison = _Comparison(self.bindings, self._minted)
        difference = comparison.run(self.book.root(type_), expected, got)
        if difference is None:
            self.bindings = comparison.bindings
        return difference

    def type_of(self, body: bytes) -> str:
        """The `type` of a message, or ``""``."""
        return _text_at(body, "type") or ""

    def event_id(self, body: bytes) -> str | None:
        """The id that the client gave its message, for an error to refer to."""
        return _text_at(body, "event_id")

    def _try(self, type_: str, expected: bytes, got: bytes) -> tuple[Difference | None, Bindings]:
        if expected == got and not self.bindings.renamed and not self._minted:
            return None, self.bindings
        try:
            want = parse(expected)
        except ValueError:
            return _bytes_differ(expected, got), self.bindings
        try:
            have = parse(got)
        except ValueError as error:
            return Difference("$", "JSON", f"{got[:80]!r} ({error})"), self.bindings
        comparison = _Comparison(self.bindings, self._minted)
        return comparison.run(self.book.root(type_), want, have), comparison.bindings


def _text_at(body: bytes, key: str) -> str | None:
    try:
        found = value_at(parse(body), key)
    except ValueError:
        return None
    return found if type(found) is str else None


def _bytes_differ(expected: bytes, got: bytes) -> Difference | None:
    if expected == got:
        return None
    at = next(
        (at for at, (a, b) in enumerate(zip(expected, got, strict=False)) if a != b),
        min(len(expected), len(got)),
    )
    start = max(0, at - 20)
    want, have = (repr(body[start : at + 40]) for body in (expected, got))
    return Difference(f"byte {at}", want, have)


class _Comparison:
    """One comparison, with its own copy of the bindings."""

    def __init__(self, bindings: Bindings, minted: Set[str]) -> None:
        self.bindings = Bindings(bindings) if minted else bindings
        self._minted = minted
        self._plain: list[_Plain] = []

    def run(self, place: Place, want: Json, got: Json) -> Difference | None:
        found = self._compare(place, (), want, got)
        if found is not None:
            return found
        for path, recorded, live in self._plain:
            if self.bindings.renamed.get(recorded) != live:
                return _difference(path, recorded, live)
        return None

    def _compare(self, place: Place, path: Path, want: Json, got: Json) -> Difference | None:
        if place.id_kind and type(want) is str and type(got) is str:
            return self._id(place.id_kind, path, want, got)
        if place.is_volatile:
            return None
        if isinstance(want, dict) and isinstance(got, dict):
            return self._objects(place, path, want, got)
        if isinstance(want, list) and isinstance(got, list):
            return self._lists(place, path, want, got)
        if type(want) is str and type(got) is str:
            self._strings(path, want, got)
            return None
        same = type(want) is type(got) and (
            want.value == got.value if isinstance(want, Number) else want == got
        )
        return None if same else _difference(path, want, got)

    def _id(self, kind: str, path: Path, want: str, got: str) -> Difference | None:
        if want not in self._minted:
            return None if want == got else _difference(path, want, got)
        bound = self.bindings.live(kind, want)
        if self.bindings.bind(kind, want, got):
            return None
        return Difference(path_text(path), shown(bound or f"an id other than {got}"), shown(got))

    def _strings(self, path: Path, want: str, got: str) -> None:
        if want != got and not _is_secret_of(want, got):
            self._plain.append(_Plain(path, want, got))

    def _objects(
        self, place: Place, path: Path, want: dict[str, Json], got: dict[str, Json]
    ) -> Difference | None:
        for key in sorted({*want, *got}, key=lambda key: (key != "type", key)):
            below, there = place.down(key), (*path, key)
            if key in want and key in got:
                found = self._compare(below, there, want[key], got[key])
            elif below.is_volatile:
                continue
            else:
                found = _one_sided(below, there, want, got)
            if found is not None:
                return found
        return None

    def _lists(
        self, place: Place, path: Path, want: list[Json], got: list[Json]
    ) -> Difference | None:
        for index, (one, other) in enumerate(zip(want, got, strict=False)):
            found = self._compare(place.down(index), (*path, index), one, other)
            if found is not None:
                return found
        shorter = min(len(want), len(got))
        if len(want) == len(got):
            return None
        sides = (shown(each[shorter]) if len(each) > shorter else _ABSENT for each in (want, got))
        return Difference(path_text((*path, shorter)), *sides)


def _one_sided(
    place: Place, path: Path, want: dict[str, Json], got: dict[str, Json]
) -> Difference | None:
    """A key that only one side has: null is as good as absent where the rules do not object."""
    key = path[-1]
    if {**want, **got}[key] is None and not place.keeps_null:  # type: ignore[index]
        return None
    sides = (shown(each[key]) if key in each else _ABSENT for each in (want, got))
    return Difference(path_text(path), *sides)


def _difference(path: Path, want: Json, got: Json) -> Difference:
    return Difference(path_text(path), shown(want), shown(got))


def _is_secret_of(want: str, got: str) -> bool:
    """Whether `want` has markers of redacted secrets and `got` the same text around them."""
    if "[redacted" not in want:
        return False
    around = map(re.escape, _MARKER.split(want))
    return re.fullmatch(".+?".join(around), got, re.S) is not None
