"""Requests to an upstream, whose URL is an origin, with a path prefix and credentials if need be.

Credentials in the URL are sent as a header where the client sends none, and are never shown.
"""

from __future__ import annotations

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from recorder.capture.proxy.headers import forwarded
from recorder.heads import RequestHead


def outgoing(upstream: str, head: RequestHead) -> tuple[URL, CIMultiDict[str]]:
    """The URL of a client's request, its path and query untouched, and its headers."""
    query = f"?{head.query}" if head.query else ""
    url = URL(f"{upstream.rstrip('/')}{head.path}{query}", encoded=True)
    headers = forwarded(head.headers)
    if url.user is not None or url.password is not None:
        if "authorization" not in headers:
            basic = aiohttp.encode_basic_auth(url.user or "", url.password or "")
            headers["Authorization"] = basic
        url = url.with_user(None)
    return url, headers


def shown(upstream: str) -> str:
    """The URL for messages: without credentials."""
    return str(URL(upstream).with_user(None))
