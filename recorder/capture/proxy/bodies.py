"""HTTP bodies as they pass: the bytes go on as they came, the tape gets what they say.

A compressed body is recorded decoded (gzip and deflate, RFC 9110 section 8.4.1), because secrets
cannot be found in compressed bytes.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError

from recorder.heads import Headers, header

_UNREADABLE = b"[a body in a coding that cannot be read is not stored]"
_READABLE = frozenset({"gzip", "deflate", "identity"})
BREAKS = (aiohttp.ClientError, ConnectionError, HttpProcessingError)
"""What is raised when a body breaks off."""
WHOLE_BYTES = 1 << 20  # a body of known length up to this is read whole before it goes on


class Body:
    """Turns the pieces of one body into what the tape keeps of them.

    `remark` is told, once, why a body that ought to be readable is not.
    """

    def __init__(self, headers: Headers, remark: Callable[[str], None]) -> None:
        self._coding = (header(headers, "content-encoding") or "").strip().lower()
        self._inflate = {
            "gzip": lambda: zlib.decompressobj(zlib.MAX_WBITS | 16),
            "x-gzip": lambda: zlib.decompressobj(zlib.MAX_WBITS | 16),
            "deflate": lambda: zlib.decompressobj(),
        }.get(self._coding, lambda: None)()
        self._is_plain = self._coding in {"", "identity"}
        self._remark = remark
        self._is_lost = False

    def piece(self, data: bytes) -> bytes:
        """What a piece says; from the first that cannot be read on, one text in their place."""
        if self._is_plain:
            return data
        if self._is_lost:
            return b""
        try:
            if self._inflate:
                return self._inflate.decompress(data)
        except zlib.error as error:
            self._remark(f"invalid {self._coding} body: {error}")
        self._is_lost = True
        return _UNREADABLE


def cause(error: Exception) -> str:
    """Why a body broke off, in one line."""
    told = error.message if isinstance(error, HttpProcessingError) else str(error)
    return told.partition("\n")[0].rstrip(":") or type(error).__name__


def is_short(headers: Headers) -> bool:
    """Whether a body's length is known and small, so that it can be looked at whole."""
    length = header(headers, "content-length") or ""
    return length.isdigit() and int(length) <= WHOLE_BYTES


def readable_codings(accepted: str) -> str:
    """The codings of an `Accept-Encoding` that can be read here."""
    kept = [
        part.strip()
        for part in accepted.split(",")
        if part.partition(";")[0].strip().lower() in _READABLE
    ]
    return ", ".join(kept) or "identity"
