"""Which headers pass a proxy, and heads from aiohttp's requests and answers.

Hop-by-hop headers (RFC 9110, section 7.6.1) and those of the WebSocket handshake (RFC 6455)
belong to one leg. `Accept-Encoding` is cut to what the recorder can read, because a body that it
cannot read it cannot free of secrets.
"""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web
from multidict import CIMultiDict

from recorder.capture.proxy.bodies import readable_codings
from recorder.heads import Headers, RequestHead

_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_HANDSHAKE = frozenset(
    {
        "sec-websocket-key",
        "sec-websocket-accept",
        "sec-websocket-version",
        "sec-websocket-extensions",
        "sec-websocket-protocol",
    }
)


def pairs(raw: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Raw headers as text, in wire order; bytes that are not UTF-8 survive as surrogates (PEP 383),
    to be passed on. On the tape they read `\\xe9` (`recorder.heads`)."""
    return tuple(
        (name.decode("latin-1"), value.decode("utf-8", "surrogateescape")) for name, value in raw
    )


def request_head(request: web.BaseRequest, prefix: str) -> RequestHead:
    """The head of a request, its path without the proxy's prefix."""
    path, _, query = request.raw_path.partition("?")
    return RequestHead(
        request.method, path.removeprefix(prefix) or "/", query, pairs(request.raw_headers)
    )


def forwarded(headers: Headers) -> CIMultiDict[str]:
    """The headers of a request that go on to the upstream."""
    dropped = _HOP | _HANDSHAKE | {"host", "expect"} | _named_by_connection(headers)
    kept: CIMultiDict[str] = CIMultiDict()
    for name, value in headers:
        lower = name.lower()
        if lower == "accept-encoding":
            kept.add(name, readable_codings(value))
        elif lower not in dropped:
            kept.add(name, value)
    return kept


def answered(headers: Headers) -> CIMultiDict[str]:
    """The headers of an answer that go back to the client."""
    dropped = _HOP | _HANDSHAKE | _named_by_connection(headers)
    kept: CIMultiDict[str] = CIMultiDict()
    for name, value in headers:
        if name.lower() not in dropped:
            kept.add(name, value)
    return kept


def _named_by_connection(headers: Headers) -> frozenset[str]:
    return frozenset(
        part.strip().lower()
        for name, value in headers
        if name.lower() == "connection"
        for part in value.split(",")
    )
