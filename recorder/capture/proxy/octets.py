"""Header values that are not UTF-8, passed on byte for byte.

aiohttp reads such bytes as surrogates (PEP 383), but its writer drops these, so that `caf\\xe9`
would go on as `caf`, and it lets nobody give it another one for requests. From `install` on it
writes them as the bytes they were.
"""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import http_writer
from multidict import CIMultiDict

_plain = http_writer._serialize_headers


def install() -> None:
    """Have every head of a request or answer written so."""
    http_writer._serialize_headers = _serialized


def _serialized(status_line: str, headers: Mapping[str, str]) -> bytes:
    """What aiohttp makes of a head (it refuses control characters), with each byte beyond ASCII as
    a character of its own on the way."""
    if status_line.isascii() and all(value.isascii() for value in headers.values()):
        return _plain(status_line, headers)  # type: ignore[arg-type]
    octets = CIMultiDict((name, _octets(value)) for name, value in headers.items())
    return _plain(_octets(status_line), octets).decode().encode("latin-1")


def _octets(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("latin-1")
