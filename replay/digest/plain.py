"""JSON without what may differ between two runs of one conversation."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from recorder.redact.secrets import MARKER
from replay.match.jsontext import Json
from replay.match.rulebook import Place

_MARKER = re.compile(MARKER.pattern.decode())
MISSING = object()
"""What `mapped` leaves out of an object."""


class Id(NamedTuple):
    """A value at a place of ids; `may_miss` if a run may as well leave it out."""

    kind: str
    name: str
    may_miss: bool


def plain(place: Place, value: Json, constants: frozenset[str]) -> Json:
    """`value` without volatile values and without nulls that are as good as absent; ids become
    `Id`, the markers of secrets (which tell one secret from another) all the same."""
    if place.id_kind and type(value) is str and value not in constants:
        return Id(place.id_kind, value, place.is_volatile)
    if isinstance(value, dict):
        kept = {key: (place.down(key), inner) for key, inner in value.items()}
        return {
            key: plain(below, inner, constants)
            for key, (below, inner) in kept.items()
            if (below.id_kind or not below.is_volatile) and (inner is not None or below.keeps_null)
        }
    if isinstance(value, list):
        return [plain(place.down(at), each, constants) for at, each in enumerate(value)]
    if type(value) is str and "[redacted" in value:
        return _MARKER.sub("[redacted]", value)
    return value


def leaves(value: Json) -> Iterator[Id | str]:
    """The ids and strings of a plain value, in canonical order."""
    if isinstance(value, Id):
        yield value
    elif isinstance(value, dict):
        for key in sorted(value):
            yield from leaves(value[key])
    elif isinstance(value, list):
        for each in value:
            yield from leaves(each)
    elif type(value) is str:
        yield value


def mapped(value: Json, change: Callable[[Id | str], Json]) -> Json:
    """`value` with each id and string changed, in canonical order."""
    if isinstance(value, Id) or type(value) is str:
        return change(value)
    if isinstance(value, dict):
        made = {key: mapped(value[key], change) for key in sorted(value)}
        return {key: inner for key, inner in made.items() if inner is not MISSING}
    if isinstance(value, list):
        return [mapped(each, change) for each in value]
    return value
