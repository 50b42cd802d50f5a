"""Secrets that can be told by their own form, whatever stands around them.

Each form begins at a word boundary and has a character that base64 lacks (`-`, `_`, `.`), or an
exact length, so that audio is never taken for one. A form with a label (`Bearer x`) yields the
secret without its label.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator

_START = rb"(?<![A-Za-z0-9])"
_TOKEN68 = rb"[A-Za-z0-9._~+/=-]"
_UNDERSCORED = rb"(?:ek|g?sk|[rp]k|hf|gh[pousr]|github_pat|whsec)_"
_DASHED = rb"(?:sk|xai|glpat)-"
_PEM_END = rb"-----END[ A-Z0-9]{0,40}-----"


def _word(first: bytes, rest: bytes, after: bytes = rb"A-Za-z0-9") -> bytes:
    """A form that begins at a border. Its first letter comes first, so that the search for many
    forms can skip to their first letters."""
    return first + rb"(?<![%s]%s)" % (after, first) + rest


_WHOLE = re.compile(
    b"|".join(
        (
            _word(rb"s", rb"k-[A-Za-z0-9_-]{12,}"),
            _word(rb"s", rb"k-[A-Za-z0-9_-]*\*[A-Za-z0-9_*-]*"),  # as error messages show a key
            _word(rb"s", rb"k_[A-Za-z0-9_]{16,}"),
            _word(rb"r", rb"k_[A-Za-z0-9_]{16,}"),
            _word(rb"p", rb"k_[A-Za-z0-9_]{16,}"),
            _word(rb"e", rb"k_[A-Za-z0-9_-]{8,}"),
            _word(rb"w", rb"hsec_[A-Za-z0-9_+/=-]{8,}"),
            _word(rb"x", rb"(?:ai-[A-Za-z0-9_-]{12,}|ox[abeoprs]-[A-Za-z0-9-]{8,})"),
            _word(rb"h", rb"f_[A-Za-z0-9_]{16,}"),
            _word(rb"g", rb"(?:lpat-|sk_|h[pousr]_|ithub_pat_)[A-Za-z0-9_-]{12,}"),
            _word(rb"A", rb"Iza[A-Za-z0-9_-]{35}(?![A-Za-z0-9+/=_-])", rb"A-Za-z0-9+/"),
            _word(rb"A", rb"KIA[A-Z0-9]{16}(?![A-Za-z0-9+=])", rb"A-Za-z0-9+/"),
            # no second look inside a run of its own characters
            _word(
                rb"e",
                rb"yJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*){1,3}",
                rb"A-Za-z0-9_-",
            ),
            rb"-----BEGIN[ A-Z0-9]{0,32}PRIVATE KEY[ A-Z]{0,8}-----"
            rb"(?:[A-Za-z0-9+/=\s:,.-]|\\[nrt])*?"
            rb"(?:" + _PEM_END + rb"|(?![A-Za-z0-9+/=\s:,.\\-])|(?=\\[^nrt])|(?=\\\Z))",
            *(
                _word(
                    first,
                    rb"(?i:earer)[ \t]+(" + _TOKEN68 + rb"{20,}"
                    rb"|(?=[A-Za-z._~+/=-]*[0-9])" + _TOKEN68 + rb"{8,})",
                )
                for first in (b"b", b"B")
            ),
            rb"://([^\s/?#@\"'\\<>]{1,512})@",
            # the sockets and the control of a call at Vapi, which ask for nothing else
            rb"://([^\s?#\"'\\<>]{1,300}/[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
            rb"/(?:transport|listen|control)(?![A-Za-z0-9])[^\s\"'\\<>]*)",
            _word(rb"a", rb"=ice-(?:pwd|ufrag):[ \t]*([A-Za-z0-9+/]+)"),
            _word(rb"a", rb"=crypto:[^\r\n\"\\]{0,100}inline:([A-Za-z0-9+/=]{16,})"),
            rb"candidate:[^\r\n\"\\]{0,200}? ufrag ([A-Za-z0-9+/]+)",
            rb"openai-(?:insecure-api-key|organization|project)\.([^\s,;\"'\\]+)",
        )
    )
)
_BASIC = re.compile(_START + rb"[Bb](?i:asic)[ \t]+([A-Za-z0-9+/]{4,}={0,2})")

_BEGUN = re.compile(
    b"|".join(
        (
            _START + rb"(" + _DASHED + rb"[A-Za-z0-9_*-]*)\Z",
            _START + rb"(" + _UNDERSCORED + rb"[A-Za-z0-9_+/=-]*)\Z",
            _START + rb"(xox[abeoprs]-[A-Za-z0-9-]*)\Z",
            rb"(?<![A-Za-z0-9+/])(AIza[A-Za-z0-9_-]{0,35})\Z",
            rb"(?<![A-Za-z0-9+/])(AKIA[A-Z0-9]{0,16})\Z",
            rb"(?<![A-Za-z0-9_-])(eyJ[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]*){0,4})\Z",
            _START + rb"[Bb](?i:earer)[ \t]+(" + _TOKEN68 + rb"+)\Z",
            rb"://([^\s/?#@\"'\\<>:\[]{1,256}:[^\s/?#@\"'\\<>\[]{1,256})\Z",
        )
    )
)
_PORT = re.compile(rb"[^:]*:[0-9]{1,5}")
_NUMBER = re.compile(rb"(?<![A-Za-z0-9+/])\+[1-9](?:[ ().-]{0,2}[0-9]){6,14}(?![0-9])")
_NUMBER_BEGUN = re.compile(rb"(?<![A-Za-z0-9+/])\+[1-9][0-9 ().-]{0,30}\Z")
_BASIC_BEGUN = re.compile(_START + rb"[Bb](?i:asic)[ \t]+([A-Za-z0-9+/]+={0,2})\Z")


def whole(text: bytes) -> Iterator[tuple[int, int]]:
    """The places of complete secrets."""
    for match in _WHOLE.finditer(text):
        yield match.span(match.lastindex or 0)
    for match in _BASIC.finditer(text):
        decoded = _decode(match[1])
        if b":" in decoded and _is_text(decoded):
            yield match.span(1)


def begun(text: bytes) -> Iterator[tuple[int, int]]:
    """The place of a secret that may go on after the end of `text`."""
    match = _BEGUN.search(text)
    if match is not None:
        span = match.span(match.lastindex or 0)
        if not _PORT.fullmatch(text, *span):
            yield span
    match = _BASIC_BEGUN.search(text)
    if match is not None and _is_text(_decode(match[1])):
        yield match.span(1)


def numbers(text: bytes) -> Iterator[tuple[int, int]]:
    """The places of telephone numbers in international form (E.164), grouped or not."""
    return (match.span() for match in _NUMBER.finditer(text))


def number_begun(text: bytes) -> Iterator[tuple[int, int]]:
    """The place of a telephone number that may go on after the end of `text`."""
    return (match.span() for match in _NUMBER_BEGUN.finditer(text))


def _decode(text: bytes) -> bytes:
    """What a base64 text without its last, incomplete group says."""
    text = text.rstrip(b"=")
    rest = len(text) % 4
    body = text + b"=" * (4 - rest) if rest > 1 else text[: len(text) - rest]
    return binascii.a2b_base64(body)


def _is_text(decoded: bytes) -> bool:
    return bool(decoded) and decoded.isascii() and decoded.decode("ascii").isprintable()
