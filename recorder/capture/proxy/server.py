"""The proxy's port: requests under a provider's prefix go to that provider's upstream."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Mapping

from aiohttp import web

from recorder.capture.process import WriterProcess
from recorder.capture.proxy.dial import Dialer
from recorder.capture.proxy.exchange import Exchanges
from recorder.capture.proxy.relay import Relays
from recorder.capture.proxy.tapes import Tapes
from recorder.errors import RecorderError
from recorder.providers import PROVIDERS
from recorder.providers.base import Provider


class Proxy:
    """Listens, routes and records. `start` it, then `stop` it; the writer belongs to the caller."""

    def __init__(self, writer: WriterProcess, trial: str, upstreams: Mapping[str, str]) -> None:
        self._writer, self._upstreams = writer, upstreams
        self.tapes = Tapes(writer, trial)
        self._dialer = Dialer()
        self._relays = Relays(writer, self.tapes, self._dialer)
        self._exchanges = Exchanges(self.tapes, self._dialer)
        self._runner = web.ServerRunner(web.Server(self._handle, access_log=None))
        # its warning would print the sub-protocols, where browsers put their key
        logging.getLogger("aiohttp.websocket").setLevel(logging.ERROR)

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> str:
        """Listen; returns the base URL. Port 0 picks a free one."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port, ssl_context=tls)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            await self._dialer.close()
            raise RecorderError(
                f"cannot listen on {host}:{port}: {error.strerror or error}; "
                "choose another with --listen HOST:PORT (port 0 picks a free one)"
            ) from None
        bound = self._runner.addresses[0][1]
        shown = f"[{host}]" if ":" in host else host
        return f"{'https' if tls else 'http'}://{shown}:{bound}"

    async def stop(self) -> None:
        """End every relay and stop listening."""
        await self._relays.stop()
        await self._runner.cleanup()
        await self._dialer.close()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        provider = self._provider(request.path)
        if provider is None:
            known = ", ".join(f"{found.PREFIX}/…" for found in PROVIDERS.values())
            return web.Response(status=404, text=f"recorder: no provider here; known: {known}\n")
        upstream = self._upstreams[provider.NAME]
        if request.headers.get("upgrade", "").strip().lower() == "websocket":
            return await self._relays.handle(request, provider, upstream)
        if request.headers.get("expect", "").lower() == "100-continue" and request.transport:
            request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        return await self._exchanges.handle(request, provider, upstream)

    def _provider(self, path: str) -> Provider | None:
        for name in self._upstreams:
            provider = PROVIDERS[name]
            if path == provider.PREFIX or path.startswith(provider.PREFIX + "/"):
                return provider
        return None


async def reachable(upstream: str, timeout_s: float = 5.0) -> None:
    """Raise RecorderError unless something accepts connections at the upstream's address."""
    from yarl import URL

    url = URL(upstream)
    if url.scheme not in {"http", "https"} or not url.host:
        raise RecorderError(f"{upstream!r} is not an upstream URL: give http(s)://HOST[:PORT]")
    try:
        async with asyncio.timeout(timeout_s):
            _, writer = await asyncio.open_connection(url.host, url.port)
    except (OSError, TimeoutError) as error:
        reason = getattr(error, "strerror", None) or "no answer"
        raise RecorderError(
            f"cannot reach {url.origin()}: {reason}; check the URL, start the server first, "
            "or skip this check with --no-check-upstream"
        ) from None
    writer.close()
