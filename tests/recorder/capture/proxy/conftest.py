"""A proxy in this process, its writer in another or a thread, and an upstream that does as it is
told."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import WSMsgType, web
from new_stores import empty_store

from recorder.capture.process import WriterProcess
from recorder.capture.proxy.server import Proxy
from recorder.clock import SystemClock
from recorder.events import Event
from recorder.recording import Recording
from recorder.store import open_store
from recorder.store.base import SessionRow, Store
from tests.recorder.capture.proxy.thread_writer import ThreadWriter

SSE = [b"data: one\n\n", b"data: two\n\n", b"data: three\n\n"]


@dataclass
class Upstream:
    """What a provider saw, and where it is."""

    url: str = ""
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    heard: list[tuple[WSMsgType, bytes]] = field(default_factory=list)
    closed: list[tuple[int | None, str | None]] = field(default_factory=list)
    release: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer by the last part of the path."""
        name = request.path.rsplit("/", 1)[-1]
        if request.headers.get("upgrade", "").lower() == "websocket":
            return await self._socket(request)
        self.requests.append((request.path_qs, dict(request.headers), await request.read()))
        return await getattr(self, "answer_" + name, self.answer_echo)(request)

    async def answer_echo(self, request: web.Request) -> web.StreamResponse:
        return web.Response(body=self.requests[-1][2], headers={"x-answer": "yes"})

    async def answer_calls(self, request: web.Request) -> web.StreamResponse:
        where = {"Location": "/v1/realtime/calls/rtc_u0_000000000000000000abc"}
        return web.Response(status=201, text="v=0\r\n", headers=where)

    async def answer_gzip(self, request: web.Request) -> web.StreamResponse:
        body = gzip.compress(b'{"squeezed":"' + b"x" * 500 + b'"}')
        return web.Response(body=body, headers={"Content-Encoding": "gzip"})

    async def answer_moved(self, request: web.Request) -> web.StreamResponse:
        return web.Response(status=307, headers={"Location": "https://elsewhere.example/x"})

    async def answer_stream(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await answer.prepare(request)
        await answer.write(SSE[0])
        await self.release.wait()
        for piece in SSE[1:]:
            await answer.write(piece)
        return answer

    async def answer_broken(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        await answer.write(b"half of it")
        assert request.transport
        request.transport.abort()
        return answer

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        if "refuse" in request.query:
            body = {"error": {"message": "no such model"}}
            return web.json_response(body, status=int(request.query["refuse"]))
        offered = [p.strip() for p in request.headers.get("sec-websocket-protocol", "").split(",")]
        socket = web.WebSocketResponse(
            protocols=["realtime"] if "realtime" in offered else [],
            autoping=False,
            autoclose=False,
            max_msg_size=64 << 20,
            decode_text=False,
        )
        socket.headers["x-upstream"] = "here"
        await socket.prepare(request)
        await self._talk(socket, request)
        return socket

    async def _talk(self, socket: web.WebSocketResponse, request: web.Request) -> None:
        """Echo; a few texts are orders."""
        while True:
            message = await socket.receive()
            if message.type in {WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.CLOSING}:
                self.closed.append((message.data, message.extra))
                if message.type is WSMsgType.CLOSE:
                    await socket.close(code=message.data or 1000)
                return
            self.heard.append((message.type, message.data))
            if message.data == b"close me":
                await socket.close(code=4004, message=b"model_not_found")
                return
            if message.data == b"drop me":
                assert request.transport
                request.transport.abort()
                return
            kind = WSMsgType.PONG if message.type is WSMsgType.PING else message.type
            await socket.send_frame(message.data, kind)


@dataclass
class House:
    """A running proxy with its upstream and store."""

    base: str
    upstream: Upstream
    store: Store
    writer: WriterProcess
    path: Path

    async def tape(self, model: str) -> tuple[SessionRow, list[Event]]:
        """The session of `?model=…` as it is stored by now."""
        await self.writer.drained()
        rows = [row for row in self.store.sessions() if row.model == model]
        assert len(rows) == 1, f"{len(rows)} sessions of {model}"
        return rows[0], list(Recording(self.store, rows[0].id).events())

    async def all_events(self) -> list[Event]:
        await self.writer.drained()
        rows = self.store.sessions()
        return [event for row in rows for event in Recording(self.store, row.id).events()]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    """The writer is a thread, or what a module says with `WRITING`."""
    writing: type[WriterProcess] = getattr(request.module, "WRITING", ThreadWriter)
    path = empty_store(tmp_path_factory.mktemp("proxy") / "tape.db")
    upstream = Upstream()
    server = web.Server(upstream.handle)  # type: ignore[arg-type]
    runner = web.ServerRunner(server)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    upstream.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    writer = writing(f"sqlite:///{path}", SystemClock())
    await writer.start()
    store = open_store(f"sqlite:///{path}", create=False, readonly=True)
    proxy = Proxy(writer, "tests", {"openai": upstream.url + "/base"})
    base = await proxy.start("127.0.0.1", 0)
    yield House(base + "/openai", upstream, store, writer, path)
    await proxy.stop()
    await writer.close()
    store.close()
    await runner.cleanup()
