"""A comparison as plain JSON values, and back: for machines, and other processes."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from typing import Any

from recorder.comparison.result import Comparison, Needed


def as_json(comparison: Comparison) -> dict[str, Any]:
    """The whole of it, by the names of its fields."""
    found = _plain(comparison)
    assert isinstance(found, dict)
    return found


def from_json(values: Mapping[str, Any]) -> Comparison:
    """What `as_json` made a document of; KeyError or TypeError for what it did not."""
    found = _built(Comparison, values)
    assert isinstance(found, Comparison)
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, Needed):
        return {**value._asdict(), "runs": value.runs}
    if hasattr(value, "_asdict"):
        return {name: _plain(each) for name, each in value._asdict().items()}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value


def _built(kind: Any, value: Any) -> Any:
    """A value of a type that `result` uses."""
    if typing.get_origin(kind) is types.UnionType:
        if value is None:
            return None
        kind = next(each for each in typing.get_args(kind) if each is not type(None))
    if typing.get_origin(kind) is tuple:
        return tuple(_built(typing.get_args(kind)[0], each) for each in value)
    if hasattr(kind, "_fields"):
        hints = typing.get_type_hints(kind)
        return kind(**{name: _built(hints[name], value[name]) for name in kind._fields})
    return value
