"""Where a server listens and what a proxy connects to; what cannot be is refused in one line."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import web
from yarl import URL

from recorder.errors import RecorderError


async def listen(runner: web.ServerRunner, host: str, port: int, tls: ssl.SSLContext | None) -> str:
    """Set up `runner` and accept connections; returns the base URL. Port 0 picks a free one.

    RecorderError if the address cannot be had; the runner is then cleaned up.
    """
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, ssl_context=tls).start()
    except OSError as error:
        await runner.cleanup()
        raise RecorderError(
            f"cannot listen on {host}:{port}: {_reason(error)}; "
            "choose another address with --listen HOST:PORT (port 0 picks a free one)"
        ) from None
    bound = runner.addresses[0][1]
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if tls else 'http'}://{shown}:{bound}"


def server_url(option: str, text: str) -> URL:
    """The URL of a server that an option names: an origin, with a path prefix if need be;
    RecorderError if it is none."""
    try:
        url = URL(text)
    except ValueError:
        url = URL()
    if url.scheme not in {"http", "https"} or not url.host:
        # not quoted: it may hold a password
        raise RecorderError(f"{option} is not a URL: give http(s)://HOST[:PORT][/PREFIX]")
    return url


def is_local(url: str) -> bool:
    """Whether a URL is of this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")  # RFC 6761, 6.3


async def reachable(url: URL, timeout_s: float = 5.0) -> None:
    """Raise RecorderError unless something accepts connections at the upstream's address."""
    try:
        async with asyncio.timeout(timeout_s):
            _, writer = await asyncio.open_connection(url.host, url.port)
    except (OSError, TimeoutError) as error:
        raise RecorderError(
            f"cannot reach the upstream {url.origin()}: {_reason(error)}; check the URL, start "
            "that server first, or skip this check with --no-check-upstream"
        ) from None
    writer.close()


def _reason(error: OSError) -> str:
    """Why, without the address (asyncio puts it into `strerror`, in the notation of Python)."""
    if error.errno is None or isinstance(error, socket.gaierror):
        return error.strerror or str(error) or "no answer in time"
    return os.strerror(error.errno)
