"""A proxy between a Vapi that does as it is told and the server of a team."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from aiohttp import WSMsgType, web

from recorder.capture.process import WriterProcess
from recorder.capture.proxy.options import ProxyOptions
from recorder.capture.proxy.server import Proxy
from recorder.clock import SystemClock
from recorder.events import Event
from recorder.recording import Recording
from recorder.store import open_store
from recorder.store.base import SessionRow, Store
from tests.recorder.capture.proxy.thread_writer import ThreadWriter

SECRET = "hook-secret-canary-5150"
Json = dict[str, Any]


async def serve(handler: Any) -> tuple[web.ServerRunner, str]:
    """A server on a free port, and its address."""
    runner = web.ServerRunner(web.Server(handler))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, f"127.0.0.1:{runner.addresses[0][1]}"


@dataclass
class Vapi:
    """The provider. Calls have the ids that `next_call` was given, or numbered ones."""

    host: str = ""
    made: int = 0
    bodies: list[tuple[str, bytes]] = field(default_factory=list)
    answer: asyncio.Event = field(default_factory=asyncio.Event)
    headers: list[dict[str, str]] = field(default_factory=list)
    compress: bool = False
    fail: list[int] = field(default_factory=list)
    next_id: str | None = None
    audio: Json | None = None
    canned: bytes | None = None

    def number(self) -> str:
        self.made += 1
        return self.next_id or str(UUID(int=(0x0199 << 112) | (7 << 76) | (2 << 62) | self.made))

    def call(self, name: str) -> Json:
        transport: Json = {"provider": "vapi.websocket"}
        if self.audio:
            transport["audioFormat"] = self.audio
        transport["websocketCallUrl"] = f"ws://{self.host}/{name}/transport"
        return {
            "id": name,
            "status": "queued",
            "cost": 0,
            "transport": transport,
            "monitor": {
                "listenUrl": f"ws://{self.host}/{name}/listen",
                "controlUrl": f"http://{self.host}/{name}/control",
            },
            "assistant": {"model": {"provider": "openai", "model": "gpt-4.1"}},
        }

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.headers.append(dict(request.headers))
        if request.headers.get("upgrade"):
            return await self._socket(request)
        body = await request.read()
        self.bodies.append((f"{request.method} {request.path_qs}", body))
        last = request.path.rsplit("/", 1)[-1]
        if self.canned is not None:
            return web.Response(body=self.canned, content_type="application/json")
        if self.fail:
            status = self.fail.pop(0)
            error = {"message": "try again", "error": "Unavailable", "statusCode": status}
            return web.json_response(error, status=status)
        if request.method == "POST" and request.path == "/call":
            name = self.number()
            await self.answer.wait()
            return self._json(self.call(name), 201)
        if request.path == "/call":
            return self._json([self.call(self.number()), self.call(self.number())], 200)
        if request.path.endswith("-recording"):
            where = "https://storage.vapi.ai/x.wav?X-Amz-Signature=canary-signature-31337"
            return web.Response(status=302, headers={"Location": where})
        if "drip" in request.query:
            answer = web.StreamResponse(headers={"Content-Type": "application/json"})
            await answer.prepare(request)
            await answer.write(b'{"id":')
            await self.answer.wait()
            await answer.write(b'"%s"}' % last.encode())
            return answer
        if request.path.startswith("/call/"):
            return self._json(self.call(last) | {"status": "ended"}, 200)
        if request.path.endswith("/control"):
            return web.Response(text="")
        return web.Response(body=body, status=201, content_type="application/json")

    def _json(self, value: object, status: int) -> web.Response:
        # spaces that only a byte-exact rewriting keeps
        body = json.dumps(value, indent=1).replace('": ', '" :  ').encode()
        if not self.compress:
            return web.Response(body=body, status=status, content_type="application/json")
        headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
        return web.Response(body=gzip.compress(body), status=status, headers=headers)

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        """Say who is there, then give back whatever comes."""
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        await socket.send_str('{"type":"status-update","status":"in-progress"}')
        async for message in socket:
            if message.type is WSMsgType.BINARY:
                await socket.send_bytes(message.data[::-1])
            elif message.type is WSMsgType.TEXT:
                await socket.send_str(message.data)
        return socket


@dataclass
class Team:
    """The application's server: keeps what it gets, answers by the last part of the path."""

    url: str = ""
    got: list[tuple[str, tuple[tuple[bytes, bytes], ...], bytes]] = field(default_factory=list)
    reply: bytes = b'{"results":[{"toolCallId":"call_1","result":"42"}]}'
    release: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.got.append((request.path_qs, request.raw_headers, await request.content.read()))
        last = request.path.rsplit("/", 1)[-1]
        if last == "slow":
            await self.release.wait()
        if last == "broken":
            answer = web.StreamResponse(headers={"Content-Length": "100"})
            await answer.prepare(request)
            await answer.write(b"half")
            assert request.transport
            request.transport.abort()
            return answer
        if last == "voice":
            return web.Response(body=b"\1\2" * 400, content_type="application/octet-stream")
        status = 500 if last == "500" else 200
        headers = {"x-team": "yes", "content-type": "application/json; charset=utf-8"}
        if last == "octets":
            headers["x-team-name"] = "th\udce9"  # one byte that is no UTF-8
        return web.Response(body=self.reply, status=status, headers=headers)


@dataclass
class House:
    """A running proxy with its two neighbours and its store."""

    base: str
    vapi: Vapi
    team: Team
    store: Store
    writer: WriterProcess
    proxy: Proxy
    path: Path

    @property
    def rest(self) -> str:
        return self.base + "/vapi"

    @property
    def hook(self) -> str:
        return self.base + "/webhooks/vapi"

    async def rows(self, call: str) -> list[SessionRow]:
        """The sessions of a call as they are stored by now."""
        await self.writer.drained()
        return [row for row in self.store.sessions() if row.external_id == call]

    async def tape(self, call: str) -> list[Event]:
        """The events of a call, which must be on one tape."""
        rows = await self.rows(call)
        assert len(rows) == 1, f"{len(rows)} sessions of {call}"
        return list(Recording(self.store, rows[0].id).events())

    async def all_events(self) -> list[Event]:
        await self.writer.drained()
        rows = self.store.sessions()
        return [event for row in rows for event in Recording(self.store, row.id).events()]


@asynccontextmanager
async def open_house(
    path: Path, *, upstream: str | None = None, redact_pii: bool = False, **options: Any
) -> AsyncIterator[House]:
    """A house whose proxy has these options; a `webhook_to` without a host is a path of the team's
    server."""
    vapi, team = Vapi(), Team()
    vapi.answer.set()
    vapi_runner, vapi.host = await serve(vapi.handle)
    team_runner, team_host = await serve(team.handle)
    team.url = f"http://{team_host}"
    if options.get("webhook_to", "").startswith("/"):
        options["webhook_to"] = team.url + options["webhook_to"]
    writer = ThreadWriter(f"sqlite:///{path}", SystemClock(), redact_pii=redact_pii)
    await writer.start()
    store = open_store(f"sqlite:///{path}", create=False, readonly=True)
    url = f"http://{vapi.host}"
    upstreams = {"vapi": upstream or url, "openai": url}
    proxy = Proxy(writer, "tests", upstreams, ProxyOptions(**options))
    base = await proxy.start("127.0.0.1", 0)
    try:
        yield House(base, vapi, team, store, writer, proxy, path)
    finally:
        await proxy.stop()
        await writer.close()
        store.close()
        await vapi_runner.cleanup()
        await team_runner.cleanup()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    path = tmp_path_factory.mktemp("vapi") / "tape.db"
    async with open_house(path, webhook_to="/hooks", webhook_secret=SECRET) as opened:
        yield opened
