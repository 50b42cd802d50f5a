"""Decoded text that knows where each of its bytes stood in the raw text."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

_ESCAPE = re.compile(
    rb"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|\\u([0-9a-fA-F]{4})|\\([^u])",
    re.S,
)
_PERCENT = re.compile(rb"%([0-9a-fA-F]{2})")
_SHORT = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}


class Found(NamedTuple):
    """A secret at `[start:end]`. `value` is the decoded secret; empty for a piece of one."""

    start: int
    end: int
    value: bytes
    where: str = ""


class View(NamedTuple):
    """Decoded text in runs: run `i` begins at `starts[i]` of `text` and `raws[i]` of the raw text.

    A run is either copied bytes or one escape; of an escape every byte stands where it begins.
    """

    text: bytes
    starts: Sequence[int]
    raws: Sequence[int]
    copied: Sequence[bool]

    def at(self, offset: int) -> int:
        """Where the byte at `offset` of `text` stands in the raw text."""
        run = bisect_right(self.starts, offset) - 1
        return self.raws[run] + (offset - self.starts[run] if self.copied[run] else 0)

    def raw(self, founds: Iterable[Found], base: int = 0, where: str = "") -> list[Found]:
        """`founds` in `text` as places in the raw text, which itself begins at `base`."""
        return [
            Found(base + self.at(start), base + self.at(end), value, inner or where)
            for start, end, value, inner in founds
        ]


def plain(raw: bytes) -> View:
    """The text itself."""
    return View(raw, (0,), (0,), (True,))


def unescaped(raw: bytes) -> View:
    """The content of a JSON string; what is not a valid escape stays as it is."""
    return _decoded(raw, _ESCAPE, _unescape) if b"\\" in raw else plain(raw)


def unquoted(raw: bytes) -> View:
    """The content of a percent-encoded text."""
    return _decoded(raw, _PERCENT, _unquote) if b"%" in raw else plain(raw)


def _decoded(
    raw: bytes, escape: re.Pattern[bytes], decode: Callable[[re.Match[bytes]], bytes]
) -> View:
    text = bytearray()
    starts: list[int] = []
    raws: list[int] = []
    copied: list[bool] = []
    done = 0
    for match in escape.finditer(raw):
        start, end = match.span()
        if start > done:
            starts.append(len(text))
            raws.append(done)
            copied.append(True)
            text += raw[done:start]
        starts.append(len(text))
        raws.append(start)
        copied.append(False)
        text += decode(match)
        done = end
    starts.append(len(text))
    raws.append(done)
    copied.append(True)
    text += raw[done:]
    return View(bytes(text), starts, raws, copied)


def _unescape(match: re.Match[bytes]) -> bytes:
    high, low, unit, short = match.groups()
    if high:
        return chr(0x10000 + ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00).encode()
    if unit:
        return chr(int(unit, 16)).encode("utf-8", "surrogatepass")
    return _SHORT.get(short, short)


def _unquote(match: re.Match[bytes]) -> bytes:
    return bytes((int(match[1], 16),))
