"""Ids that differ between a tape and a live run: which recorded one is which live one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from recorder.redact.walk import texts
from replay.match.jsontext import Json
from replay.match.rulebook import Place, Rulebook

_TOKEN = re.compile(rb'"((?:[^"\\]|\\.){1,600})"')
_LEAST_EMBEDDED = 6  # characters; a shorter id is not looked for inside a text


def ids_in(place: Place, value: Json, constants: frozenset[str]) -> Iterator[tuple[str, str]]:
    """The (kind, id) at each place of an id in a message."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from ids_in(place.down(key), inner, constants)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from ids_in(place.down(index), inner, constants)
    elif place.id_kind and type(value) is str and value not in constants:
        yield place.id_kind, value


def strings_in(body: bytes) -> Iterator[str]:
    """The strings of a JSON text, keys included, that are short enough to be ids."""
    for raw in _TOKEN.findall(body):
        try:
            yield json.loads(b'"%s"' % raw) if b"\\" in raw else raw.decode()
        except ValueError:
            continue  # not a string of a JSON text, so no id either


class Bindings:
    """Pairs of a recorded and a live id, one to one within their kind."""

    def __init__(self, base: Bindings | None = None) -> None:
        self._live: dict[tuple[str, str], str] = dict(base._live) if base else {}
        self._recorded: dict[tuple[str, str], str] = dict(base._recorded) if base else {}
        self._renamed: dict[str, str] = dict(base._renamed) if base else {}

    def bind(self, kind: str, recorded: str, live: str) -> bool:
        """Take the pair if it agrees with those before it."""
        if self._live.setdefault((kind, recorded), live) != live:
            return False
        if self._recorded.setdefault((kind, live), recorded) != recorded:
            return False
        if recorded != live:
            self._renamed[recorded] = live
        return True

    def live(self, kind: str, recorded: str) -> str | None:
        """The live id of a recorded one; None before it was seen."""
        return self._live.get((kind, recorded))

    def recorded(self, kind: str, live: str) -> str | None:
        """The recorded id of a live one; None before it was seen."""
        return self._recorded.get((kind, live))

    @property
    def renamed(self) -> Mapping[str, str]:
        """Recorded -> live, of any kind, where the two differ."""
        return self._renamed


def rename(
    body: bytes, names: Sequence[str], bindings: Bindings, book: Rulebook, type_: str
) -> bytes:
    """`body` with the recorded ids `names` replaced where they stand as a value, and inside the
    text that the rules name; every other byte stays."""
    renamed = {name: bindings.renamed[name] for name in names if name in bindings.renamed}
    if not renamed:
        return body
    prose = tuple(book.rules.embedded.get(type_, "").split("."))
    pieces: list[bytes] = []
    done = 0
    for text in texts(body):
        old = body[text.start : text.end]
        new = _prose(old, renamed) if text.path == prose else _value(old, renamed)
        if new is not None:
            pieces += body[done : text.start], new
            done = text.end
    return b"".join((*pieces, body[done:]))


def _value(raw: bytes, renamed: Mapping[str, str]) -> bytes | None:
    text = json.loads(b'"%s"' % raw, strict=False) if b"\\" in raw else raw.decode()
    new = renamed.get(text)
    return None if new is None else _escaped(new)


def _prose(raw: bytes, renamed: Mapping[str, str]) -> bytes:
    for old, new in renamed.items():
        if len(old) >= _LEAST_EMBEDDED:
            raw = raw.replace(_escaped(old), _escaped(new))
    return raw


def _escaped(text: str) -> bytes:
    return json.dumps(text)[1:-1].encode()


def mentioned(body: bytes, names: frozenset[str], book: Rulebook, type_: str) -> tuple[str, ...]:
    """Which of `names` a provider message says."""
    found = names.intersection(strings_in(body))
    if type_ in book.rules.embedded:
        inside = (name for name in names if len(name) >= _LEAST_EMBEDDED)
        found |= {name for name in inside if _escaped(name) in body}
    return tuple(sorted(found))
