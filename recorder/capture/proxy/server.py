"""The proxy's port: requests under a provider's prefix go to that provider's upstream."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Mapping

from aiohttp import web

from recorder.capture.process import WriterProcess
from recorder.capture.proxy.address import listen
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
        self._runner = web.ServerRunner(
            web.Server(self._handle, access_log=None, auto_decompress=False)
        )
        # its warning would print the sub-protocols, where browsers put their key
        logging.getLogger("aiohttp.websocket").setLevel(logging.ERROR)

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> str:
        """Listen; returns the base URL. Port 0 picks a free one."""
        try:
            return await listen(self._runner, host, port, tls)
        except RecorderError:
            await self._dialer.close()
            raise

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
