"""The application's server at an address, for a provider behind a URL: what comes is recorded, and
answered by a desk."""

from __future__ import annotations

import asyncio
from typing import Self

from aiohttp import web

from recorder.capture.log import Log
from recorder.capture.proxy.address import listen
from recorder.capture.proxy.headers import pairs
from recorder.clock import Clock
from recorder.heads import RequestHead, ResponseHead
from replay.crossing.desk import Desk

_SHUTDOWN_S = 1.0


class ToolServer:
    """Listens while its context is open; `url` is its address."""

    def __init__(self, desk: Desk, log: Log, clock: Clock, host: str, port: int) -> None:
        self.url = ""
        self._desk, self._log, self._clock = desk, log, clock
        self._host, self._port = host, port
        self._over = asyncio.Event()
        self._runner = web.ServerRunner(
            web.Server(self._handle, access_log=None), shutdown_timeout=_SHUTDOWN_S
        )

    async def __aenter__(self) -> Self:
        self.url = await listen(self._runner, self._host, self._port, None)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Let go of the calls that are never answered, and stop listening."""
        self._over.set()
        await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        path = f"{self.url}{request.path}"
        head = RequestHead(request.method, path, "", pairs(request.raw_headers))
        lines = self._log.delivery(head, body)
        at_ns, answer = self._desk.answer(body, self._clock.now_ns())
        wait_s = None if at_ns is None else max(0.0, (at_ns - self._clock.now_ns()) / 1e9)
        try:
            await asyncio.wait_for(self._over.wait(), wait_s)
            lines.failed("the conversation was over before the answer was due")
            return web.Response(status=503)
        except TimeoutError:
            told = ResponseHead(200, "OK", (("content-type", "application/json"),))
            lines.answered(told, answer)
            return web.Response(body=answer, content_type="application/json")
        finally:
            lines.end()
