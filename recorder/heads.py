"""Heads of HTTP exchanges and WebSocket handshakes, and close frames, as JSON bodies."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

Headers = tuple[tuple[str, str], ...]


_OCTET = re.compile("[\udc80-\udcff]")


def _encode(value: object) -> bytes:
    """A head as JSON; bytes of the wire that are not UTF-8, which stand in it as surrogates (PEP
    383), as the text `\\xe9`."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return _OCTET.sub(lambda found: f"\\\\x{ord(found[0]) - 0xDC00:02x}", text).encode()


def _headers(value: Any) -> Headers:
    return tuple((str(name), str(text)) for name, text in value)


def header(headers: Headers, name: str) -> str | None:
    """The first value of a header, whatever the case of its name."""
    wanted = name.lower()
    return next((value for key, value in headers if key.lower() == wanted), None)


@dataclass(frozen=True)
class RequestHead:
    """Method, path (without the proxy's prefix), raw query string and headers in wire order."""

    method: str
    path: str
    query: str = ""
    headers: Headers = ()

    @property
    def subprotocols(self) -> tuple[str, ...]:
        """The offers of `Sec-WebSocket-Protocol`, in order."""
        found = header(self.headers, "sec-websocket-protocol") or ""
        return tuple(part for part in (piece.strip() for piece in found.split(",")) if part)

    def encode(self) -> bytes:
        return _encode(vars(self))

    @classmethod
    def decode(cls, body: bytes) -> RequestHead:
        raw = json.loads(body)
        return cls(raw["method"], raw["path"], raw["query"], _headers(raw["headers"]))


@dataclass(frozen=True)
class ResponseHead:
    """Status, reason phrase, headers in wire order and the sub-protocol that was chosen."""

    status: int
    reason: str = ""
    headers: Headers = ()
    subprotocol: str | None = None

    def encode(self) -> bytes:
        return _encode(vars(self))

    @classmethod
    def decode(cls, body: bytes) -> ResponseHead:
        raw = json.loads(body)
        return cls(raw["status"], raw["reason"], _headers(raw["headers"]), raw["subprotocol"])


LOST = 1006
"""The code of a close without a close frame: the connection was lost (RFC 6455, 7.1.5)."""


@dataclass(frozen=True)
class Close:
    """A close frame. 1005 is a frame without a code, 1006 a connection lost without a frame."""

    code: int
    reason: str = ""

    def encode(self) -> bytes:
        return _encode(vars(self))

    @classmethod
    def decode(cls, body: bytes) -> Close:
        raw = json.loads(body)
        return cls(raw["code"], raw["reason"])
