"""Header values that are not UTF-8, passed on byte for byte.

aiohttp reads such bytes as surrogates (PEP 383), but its writer drops these, so that `caf\\xe9`
would go on as `caf`. From `install` on it writes them as the bytes they were.
"""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import http_writer

_plain = http_writer._serialize_headers


def install() -> None:
    """Have every head of a request or answer written so."""
    http_writer._serialize_headers = _serialized


def _serialized(status_line: str, headers: Mapping[str, str]) -> bytes:
    if all(value.isascii() for value in headers.values()):
        return _plain(status_line, headers)  # type: ignore[arg-type]
    lines = (status_line, *(f"{name}: {value}" for name, value in headers.items()))
    if any("\r" in line or "\n" in line or "\0" in line for line in lines):
        raise ValueError("a line break in a header")
    return "\r\n".join((*lines, "", "")).encode("utf-8", "surrogateescape")
