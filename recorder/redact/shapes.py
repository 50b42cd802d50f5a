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
_JWT_START = rb"(?<![A-Za-z0-9_-])"  # no second look inside a run of its own characters
_PEM_HEAD = rb"-----BEGIN[ A-Z0-9]{0,32}PRIVATE KEY[ A-Z]{0,8}-----"
_TOKEN68 = rb"[A-Za-z0-9._~+/=-]"
_UNDERSCORED = rb"(?:ek|g?sk|[rp]k|hf|gh[pousr]|github_pat|whsec)_"
_DASHED = rb"(?:sk|xai|glpat)-"

_WHOLE = re.compile(
    b"|".join(
        (
            _START + rb"(" + _DASHED + rb"[A-Za-z0-9_-]{12,})",
            _START + rb"(sk-[A-Za-z0-9_-]*\*[A-Za-z0-9_*-]*)",  # as error messages show a key
            _START + rb"((?:ek|github_pat|whsec)_[A-Za-z0-9_+/=-]{8,})",
            _START + rb"((?:g?sk|[rp]k|hf|gh[pousr])_[A-Za-z0-9_]{16,})",
            _START + rb"(xox[abeoprs]-[A-Za-z0-9-]{8,})",
            rb"(?<![A-Za-z0-9+/])(AIza[A-Za-z0-9_-]{35})(?![A-Za-z0-9+/=_-])",
            rb"(?<![A-Za-z0-9+/])(AKIA[A-Z0-9]{16})(?![A-Za-z0-9+=])",
            _JWT_START + rb"(eyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*){1,3})",
            rb"(" + _PEM_HEAD + rb"(?:[A-Za-z0-9+/=\s:,.-]|\\[nrt])*?"
            rb"(?:-----END[ A-Z0-9]{0,40}-----|(?![A-Za-z0-9+/=\s:,.\\-])|(?=\\[^nrt])|(?=\\\Z)))",
            _START + rb"[Bb](?i:earer)[ \t]+(" + _TOKEN68 + rb"{20,}"
            rb"|(?=[A-Za-z._~+/=-]*[0-9])" + _TOKEN68 + rb"{8,})",
            rb"://([^\s/?#@\"'\\<>]{1,512})@",
            _START + rb"a=ice-(?:pwd|ufrag):[ \t]*([A-Za-z0-9+/]+)",
            rb"candidate:[^\r\n\"\\]{0,200} ufrag ([A-Za-z0-9+/]+)",
            rb"a=crypto:[^\r\n\"\\]{0,100}inline:([A-Za-z0-9+/=]{16,})",
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
            _JWT_START + rb"(eyJ[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]*){0,4})\Z",
            _START + rb"[Bb](?i:earer)[ \t]+(" + _TOKEN68 + rb"+)\Z",
            rb"://([^\s/?#@\"'\\<>:\[]{1,256}:[^\s/?#@\"'\\<>\[]{1,256})\Z",
        )
    )
)
_PORT = re.compile(rb"[^:]*:[0-9]{1,5}")
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


def _decode(text: bytes) -> bytes:
    """What a base64 text without its last, incomplete group says."""
    text = text.rstrip(b"=")
    rest = len(text) % 4
    body = text + b"=" * (4 - rest) if rest > 1 else text[: len(text) - rest]
    return binascii.a2b_base64(body)


def _is_text(decoded: bytes) -> bool:
    return bool(decoded) and decoded.isascii() and decoded.decode("ascii").isprintable()
