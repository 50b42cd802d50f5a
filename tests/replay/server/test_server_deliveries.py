"""Webhooks of a machine, posted to a real server, and its answers fed back."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from tapes import SECRETS

from recorder.capture.log import Log
from recorder.capture.proxy.webhooks import PREFIX
from recorder.capture.writer import Writer
from recorder.clock import SystemClock
from recorder.events import Message
from recorder.heads import Close, Headers, RequestHead, ResponseHead
from recorder.providers import PROVIDERS
from recorder.recording import Recording
from recorder.store import open_store
from replay.server import MachineServer

FIRST = 1_000_000


@dataclass
class Scripted:
    """A machine that says what it was given to say, once, and keeps what comes."""

    says: list[Message] = field(default_factory=list)
    came: list[Message] = field(default_factory=list)

    def receive(self, message: Message, now: int) -> None:
        self.came.append(message)
        if message.kind == "http.request":
            close = Close(1006).encode()
            self.says.append(Message(message.channel, "ws.close", close))

    def due(self, now: int) -> list[Message]:
        said, self.says = self.says, []
        return said

    def next_deadline(self) -> int | None:
        return None

    @property
    def answers(self) -> dict[int, tuple[int, bytes]]:
        return {
            each.channel - FIRST: (ResponseHead.decode(each.body).status, each.payload)
            for each in self.came
            if each.kind == "webhook.response"
        }


def hook(at: int, url: str, body: Any = None, headers: Headers = ()) -> Message:
    head = RequestHead("POST", url, "", (("content-type", "application/json"), *headers))
    return Message(FIRST + at, "webhook.request", head.encode(), json.dumps(body or at).encode())


@asynccontextmanager
async def application(handler: Any) -> AsyncIterator[str]:
    runner = web.ServerRunner(web.Server(handler))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def serving(machine: Scripted, **options: Any) -> AsyncIterator[MachineServer]:
    async with asyncio.timeout(10):
        async with MachineServer(machine, SystemClock(), prefix="/vapi", **options) as server:
            yield server


async def test_bytes_and_headers_go_out_and_the_answer_comes_back() -> None:
    seen: list[tuple[str, bytes, Any]] = []

    async def handle(request: web.BaseRequest) -> web.Response:
        seen.append((request.raw_path, await request.read(), request.headers))
        return web.Response(status=201, body=b'{"ok":  1}', content_type="application/json")

    async with application(handle) as url:
        headers = (("X-Call-Id", "c"), ("Host", "old.example"), ("Content-Length", "99"))
        machine = Scripted([hook(0, f"{url}/a%20b?x=1&y=%2F", {"ü": 1}, headers)])
        async with serving(machine) as server:
            assert await server.until(lambda: bool(machine.answers), 5)
    ((path, body, got),) = seen
    assert (path, body) == ("/a%20b?x=1&y=%2F", json.dumps({"ü": 1}).encode())
    assert (got["X-Call-Id"], got["Content-Type"]) == ("c", "application/json")
    assert got["Host"] == url.partition("://")[2]
    assert "User-Agent" not in got
    assert machine.answers == {0: (201, b'{"ok":  1}')}


async def test_many_are_under_way_at_once_and_leave_in_order() -> None:
    order: list[int] = []
    release = asyncio.Event()

    async def handle(request: web.BaseRequest) -> web.Response:
        order.append(json.loads(await request.read())["at"])
        if len(order) == 20:
            release.set()
        await release.wait()  # the first is answered when the last has come
        return web.json_response({})

    async with application(handle) as url:
        machine = Scripted([hook(at, url, {"at": at}) for at in range(20)])
        async with serving(machine) as server:
            assert await server.until(lambda: len(machine.answers) == 20, 5)
    assert order == list(range(20))


async def test_what_cannot_be_reached_has_status_0_and_a_reason() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        nowhere = f"http://127.0.0.1:{free.getsockname()[1]}"
    machine = Scripted([hook(0, nowhere), hook(1, nowhere)])
    async with serving(machine) as server:
        assert await server.until(lambda: len(machine.answers) == 2, 5)
    assert {status for status, _ in machine.answers.values()} == {0}
    reason = ResponseHead.decode(machine.came[0].body).reason
    assert "connect" in reason.lower()


@pytest.mark.parametrize("way", ["slow", "broken"])
async def test_no_whole_answer_is_none(way: str) -> None:
    over = asyncio.Event()

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        if way == "slow":
            await over.wait()
        answer = web.StreamResponse(headers={"Content-Length": "100"})
        await answer.prepare(request)
        await answer.write(b"half")
        assert request.transport
        request.transport.abort()
        return answer

    async with application(handle) as url:
        machine = Scripted([hook(0, url)])
        async with serving(machine, delivery_s=0.3) as server:
            assert await server.until(lambda: bool(machine.answers), 5)
        over.set()
    assert machine.answers == {0: (0, b"")}
    if way == "slow":
        assert "within 0.3 s" in ResponseHead.decode(machine.came[0].body).reason


async def test_a_stopping_server_waits_for_no_application() -> None:
    over = asyncio.Event()

    async def handle(request: web.BaseRequest) -> web.Response:
        await over.wait()
        return web.Response()

    async with application(handle) as url:
        async with serving(Scripted([hook(0, url)])):
            await asyncio.sleep(0.05)
        over.set()


async def test_a_redirect_is_an_answer() -> None:
    async def handle(request: web.BaseRequest) -> web.Response:
        return web.Response(status=302, headers={"Location": "/elsewhere"})

    async with application(handle) as url:
        machine = Scripted([hook(0, url)])
        async with serving(machine) as server:
            assert await server.until(lambda: bool(machine.answers), 5)
    assert machine.answers == {0: (302, b"")}


async def test_deliveries_are_recorded_as_the_proxy_records_them() -> None:
    async def handle(request: web.BaseRequest) -> web.Response:
        return web.json_response({"fine": True})

    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        nowhere = f"http://127.0.0.1:{free.getsockname()[1]}"
    store = open_store("memory:", create=True)
    writer = Writer(store, SystemClock(), SECRETS)
    writer.start()
    tape = writer.open("vapi", "trial")
    log = Log(lambda _: tape, writer, PROVIDERS["vapi"].WEBHOOKS, PREFIX + "vapi")
    told = {"message": {"type": "tool-calls", "call": {"id": "c"}}}
    async with application(handle) as url:
        machine = Scripted([hook(0, f"{url}/hooks?x=1", told), hook(1, nowhere, told)])
        async with serving(machine, log=log) as server:
            assert await server.until(lambda: len(machine.answers) == 2, 5)
    await asyncio.to_thread(writer.close)
    recording = Recording(store, tape.session)
    assert [(each.kind, each.target) for each in recording.channels()] == [
        ("webhook", "/webhooks/vapi")
    ] * 2
    events = [event for event in recording.events() if event.channel == 1]
    assert [(event.sender, event.kind, event.type) for event in events] == [
        ("provider", "webhook.request", "tool-calls"),
        ("provider", "http.chunk", "tool-calls"),
        ("provider", "http.chunk", "tool-calls"),
        ("client", "webhook.response", "200"),
        ("client", "http.chunk", "tool-calls"),
        ("client", "http.chunk", "tool-calls"),
    ]
    assert RequestHead.decode(events[0].body).query == "x=1"
    bodies = [event.body for event in events if event.kind == "http.chunk" and event.body]
    assert [json.loads(body) for body in bodies] == [told, {"fine": True}]
    lost = [event for event in recording.events() if event.channel == 2][-1]
    assert (lost.sender, lost.kind, lost.type) == ("recorder", "note", "unreachable")


async def test_a_machine_can_break_a_connection() -> None:
    async with serving(Scripted()) as server, aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await http.get(f"{server.url}/vapi/assistant")
