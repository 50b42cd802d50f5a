"""The proxy's port: requests under a provider's prefix go to that provider's upstream."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Mapping

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from recorder.capture.process import WriterProcess
from recorder.capture.proxy import octets
from recorder.capture.proxy.address import listen
from recorder.capture.proxy.destinations import Destinations, Refused
from recorder.capture.proxy.dial import Dialer
from recorder.capture.proxy.exchange import Exchanges
from recorder.capture.proxy.options import ProxyOptions
from recorder.capture.proxy.relay import Relays
from recorder.capture.proxy.tapes import Tapes
from recorder.capture.proxy.webhooks import PREFIX, Deliveries
from recorder.errors import RecorderError
from recorder.providers import PROVIDERS

_PORT_LOG = logging.getLogger("recorder.proxy.port")
_SHUTDOWN_S = 2.0  # what exchanges that are still running get when the proxy stops


class Proxy:
    """Listens, routes and records. `start` it, then `stop` it; the writer belongs to the caller."""

    def __init__(
        self,
        writer: WriterProcess,
        trial: str,
        upstreams: Mapping[str, str],
        options: ProxyOptions | None = None,
    ) -> None:
        options = options or ProxyOptions()
        self._destinations = Destinations(upstreams)
        self.tapes = Tapes(writer, trial)
        self._dialer = Dialer()
        self._relays = Relays(writer, self.tapes, self._dialer)
        self._exchanges = Exchanges(self.tapes, self._dialer, self._destinations, options)
        self._deliveries = Deliveries(self.tapes, self._dialer, options)
        self._runner = web.ServerRunner(
            web.Server(self._handle, access_log=None, auto_decompress=False, logger=_PORT_LOG),
            shutdown_timeout=_SHUTDOWN_S,
        )
        # its warning would print the sub-protocols, where browsers put their key
        logging.getLogger("aiohttp.websocket").setLevel(logging.ERROR)

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> str:
        """Listen; returns the base URL. Port 0 picks a free one."""
        octets.install()
        try:
            return await listen(self._runner, host, port, tls)
        except RecorderError:
            await self._dialer.close()
            raise

    async def stop(self) -> None:
        """Stop listening and end every relay."""
        for site in list(self._runner.sites):
            await site.stop()
        self.tapes.stop()
        await self._relays.stop()
        await self._runner.cleanup()
        await self._deliveries.stop()
        await self._dialer.close()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path.startswith(PREFIX):
            _go_on(request)
            return await self._deliveries.handle(request)
        try:
            to = self._destinations.find(request.raw_path)
        except Refused as error:
            return web.Response(status=403, text=f"recorder: {error}\n")
        if to is None:
            known = ", ".join(f"{found.PREFIX}/…" for found in PROVIDERS.values())
            return web.Response(status=404, text=f"recorder: no provider here; known: {known}\n")
        if request.headers.get("upgrade", "").strip().lower() == "websocket":
            return await self._relays.handle(request, to)
        _go_on(request)
        return await self._exchanges.handle(request, to)


def _in_one_line(record: logging.LogRecord) -> bool:
    """What is no HTTP is the fault of who sent it: no traceback, and nothing of what was sent."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, HttpProcessingError):
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        why = error.message.partition("\n")[0].rstrip(":")
        record.msg, record.args, record.exc_info = f"a request is no HTTP: {why}", (), None
    return True


_PORT_LOG.addFilter(_in_one_line)


def _go_on(request: web.BaseRequest) -> None:
    """Tell a client that waits for it to send its body."""
    if request.headers.get("expect", "").lower() == "100-continue" and request.transport:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
