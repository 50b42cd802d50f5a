"""Places in a JSON text: where its strings and objects stand, so that one can be replaced and all
the rest stays byte for byte."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

_TOKEN = re.compile(rb'"([^"\\]*(?:\\.[^"\\]*)*)"|[{}\[\],]|null', re.S)
_QUOTE, _BRACE, _BRACKET, _COMMA, _NULL = b'"{[,n'
Path = tuple[str | int, ...]


class Place(NamedTuple):
    """A string, whose content is `[start:end]`, an object, whose inside begins at both, or a null
    there."""

    kind: Literal["string", "object", "null"]
    path: Path
    start: int
    end: int


def places(body: bytes, depth: int) -> Iterator[Place]:
    """String values, objects and nulls of a JSON text in order, those in more than `depth` objects
    and arrays left out."""
    path: list[str | int] = []
    level = 0
    is_name = False
    for match in _TOKEN.finditer(body):
        start = match.start()
        sign = body[start]
        if sign == _QUOTE:
            if level > depth:
                continue
            if is_name:
                path[-1], is_name = text(body, *match.span(1)), False
            else:
                yield Place("string", tuple(path), *match.span(1))
        elif sign == _NULL:
            if level <= depth:
                yield Place("null", tuple(path), start, match.end())
        elif sign in (_BRACE, _BRACKET):
            level += 1
            if level > depth:
                continue
            is_name = sign == _BRACE
            if is_name:
                yield Place("object", tuple(path), start + 1, start + 1)
            path.append("" if is_name else 0)
        elif level > depth:
            level -= sign != _COMMA
        elif sign != _COMMA:
            level -= 1
            is_name = False
            if path:
                path.pop()
        elif path:
            last = path[-1]
            is_name = isinstance(last, str)
            path[-1] = last if isinstance(last, str) else last + 1


def text(body: bytes, start: int, end: int) -> str:
    """The string whose content is `body[start:end]`; what is not valid JSON as it stands."""
    raw = body[start:end]
    if b"\\" not in raw:
        return raw.decode("utf-8", "replace")
    try:
        found = json.loads(b'"%s"' % raw)
    except ValueError:
        found = raw.decode("utf-8", "replace")
    return str(found)


def content(value: str) -> bytes:
    """A string as the content of a JSON string."""
    return json.dumps(value)[1:-1].encode()


def shown(path: Path) -> str:
    """`$.assistant.server.url`, `$[0].monitor`."""
    return "$" + "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
