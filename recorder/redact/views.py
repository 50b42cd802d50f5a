"""Decoded text that knows where each of its bytes stood in the raw text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

_ESCAPE = re.compile(
    rb"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|\\u([0-9a-fA-F]{4})|\\([^u])|[^\\]+|\\",
    re.S,
)
_PERCENT = re.compile(rb"%([0-9a-fA-F]{2})|[^%]+|%", re.S)
_SHORT = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}


class Found(NamedTuple):
    """A secret at `[start:end]`. `value` is the decoded secret; empty for a piece of one."""

    start: int
    end: int
    value: bytes
    where: str = ""


class View(NamedTuple):
    """`text[i]` began at `at[i]` of the raw text; `at` has one entry more than `text`."""

    text: bytes
    at: Sequence[int]

    def raw(self, founds: Iterable[Found], base: int = 0, where: str = "") -> list[Found]:
        """`founds` in `text` as places in the raw text, which itself begins at `base`."""
        return [
            Found(base + self.at[start], base + self.at[end], value, inner or where)
            for start, end, value, inner in founds
        ]


def plain(raw: bytes) -> View:
    """The text itself."""
    return View(raw, range(len(raw) + 1))


def unescaped(raw: bytes) -> View:
    """The content of a JSON string; what is not a valid escape stays as it is."""
    if b"\\" not in raw:
        return plain(raw)
    text = bytearray()
    at: list[int] = []
    for match in _ESCAPE.finditer(raw):
        high, low, unit, short = match.groups()
        start, end = match.span()
        if high:
            code = 0x10000 + ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00
            piece = chr(code).encode()
        elif unit:
            piece = chr(int(unit, 16)).encode("utf-8", "surrogatepass")
        elif short:
            piece = _SHORT.get(short, short)
        else:
            text += raw[start:end]
            at.extend(range(start, end))
            continue
        text += piece
        at.extend([start] * len(piece))
    at.append(len(raw))
    return View(bytes(text), at)


def unquoted(raw: bytes) -> View:
    """The content of a percent-encoded text."""
    if b"%" not in raw:
        return plain(raw)
    text = bytearray()
    at: list[int] = []
    for match in _PERCENT.finditer(raw):
        start, end = match.span()
        if match[1]:
            text.append(int(match[1], 16))
            at.append(start)
        else:
            text += raw[start:end]
            at.extend(range(start, end))
    at.append(len(raw))
    return View(bytes(text), at)
