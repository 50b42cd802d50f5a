"""The strings of a JSON text by place in it, so that each can be changed on its own.

The walk is lenient: a text that is cut off, or is not quite JSON, yields what can be told.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from recorder.redact.names import is_secret_field, is_secret_header
from recorder.redact.views import unescaped

_TOKEN = re.compile(rb'"([^"\\]*(?:\\.[^"\\]*)*)(?:"|\\?\Z)|[{}\[\],:]', re.S)
_SHOWN = 32  # steps of a path
_SAFE_INSIDE = frozenset({"type", "object", "id", "provider", "name", "anchor"})
_SCHEMA = frozenset({"properties", "patternProperties", "$defs", "definitions"})


class Within(Enum):
    """What an object or array is part of."""

    DATA = 1
    SECRET = 2  # below a secret's name: every string but a few labels
    HEADERS = 3  # a map of headers
    PAIRS = 4  # a list of headers
    LOGPROBS = 5  # `token` is a piece of text here


class Text(NamedTuple):
    """A string: its content is `[start:end]` of the raw text, escapes included.

    The path of a name is that of the object it belongs to.
    """

    start: int
    end: int
    path: tuple[str | int, ...]
    secret: str | None  # the reason, as a place, if its name says that it is a secret


class _Frame:
    __slots__ = ("above", "is_object", "key", "label", "wants_key", "within")

    def __init__(self, is_object: bool, within: Within, above: tuple[str | int, ...]) -> None:
        self.is_object = is_object
        self.within = within
        self.above = above  # the path of the object or array itself
        self.key: str | int = "" if is_object else 0
        self.wants_key = is_object
        self.label = ""  # in a pair of a list of headers, the header's name


def is_json(text: bytes) -> bool:
    """Whether `text` is one JSON text (its strings may hold any bytes)."""
    try:
        json.loads(text.decode("latin-1"), strict=False)
    except (ValueError, RecursionError):
        return False
    return True


def place(path: tuple[str | int, ...]) -> str:
    """`$.session.tools[0].authorization`."""
    return "$" + "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)


def texts(raw: bytes) -> Iterator[Text]:
    """The string values of `raw`, in order."""
    return (text for is_name, text in strings(raw) if not is_name)


def strings(raw: bytes) -> Iterator[tuple[bool, Text]]:
    """All strings of `raw` in order, and whether each is a name of an object's field."""
    stack: list[_Frame] = []
    for match in _TOKEN.finditer(raw):
        frame = stack[-1] if stack else None
        sign = match[0]
        if sign in b"{[":
            within = _within(stack, sign == b"{")
            stack.append(_Frame(sign == b"{", within, _path(frame) if frame else ()))
        elif sign in b"}]":
            if frame is not None:
                stack.pop()
        elif sign == b",":
            _advance(frame)
        elif sign != b":":
            yield _string(stack, match)


def _advance(frame: _Frame | None) -> None:
    if frame is None:
        return
    frame.wants_key = frame.is_object
    if isinstance(frame.key, int):
        frame.key += 1


def _string(stack: list[_Frame], match: re.Match[bytes]) -> tuple[bool, Text]:
    start, end = match.span(1)
    if not stack:
        return False, Text(start, end, (), None)
    frame = stack[-1]
    if frame.wants_key:
        frame.key = unescaped(match[1]).text.decode("utf-8", "replace")
        frame.wants_key = False
        return True, Text(start, end, frame.above, None)
    if frame.within is Within.PAIRS and frame.key in (0, "name"):
        frame.label = match[1].decode("utf-8", "replace")
    path = _path(frame)
    return False, Text(start, end, path, _reason(frame, path))


def _path(frame: _Frame) -> tuple[str | int, ...]:
    """The path of what stands at the key of a frame; its first steps where it is deep."""
    return (*frame.above, frame.key) if len(frame.above) < _SHOWN else frame.above


def _reason(frame: _Frame, path: tuple[str | int, ...]) -> str | None:
    key = frame.key
    if frame.within is Within.PAIRS:
        named = key in (1, "value") and is_secret_header(frame.label)
        return f"header {frame.label.lower()}" if named else None
    if frame.within is Within.HEADERS:
        secret = True
    elif frame.within is Within.SECRET:
        secret = key not in _SAFE_INSIDE
    elif frame.within is Within.LOGPROBS and key == "token":
        secret = False
    else:
        secret = isinstance(key, str) and is_secret_field(key)
    return place(path) if secret else None


def _within(stack: list[_Frame], is_object: bool) -> Within:
    """What a new object or array at this place is part of."""
    if not stack:
        return Within.DATA
    parent = stack[-1]
    if parent.within is not Within.DATA or isinstance(parent.key, int):
        return parent.within
    name = parent.key.lower()
    if name.endswith("headers"):
        return Within.HEADERS if is_object else Within.PAIRS
    if name.endswith("logprobs"):
        return Within.LOGPROBS
    of_schema = len(stack) > 1 and stack[-2].key in _SCHEMA
    return Within.SECRET if is_secret_field(parent.key) and not of_schema else Within.DATA
