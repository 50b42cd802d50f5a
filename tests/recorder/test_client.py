"""A client machine over real sockets: several channels, requests, and what goes wrong in it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import WSMsgType, web

from recorder.capture.proxy.dial import Unreachable
from recorder.client import Conversation
from recorder.clock import SystemClock
from recorder.errors import RecorderError
from recorder.events import Message
from recorder.heads import Close, Headers, RequestHead, ResponseHead

OLD = (("authorization", "Bearer old"),)


@dataclass
class Steps:
    """A client that sends `waves` one after the other, each when the one before was answered."""

    waves: list[list[Message]]
    answers: int = 1  # to each wave
    got: list[Message] = field(default_factory=list)
    finished: bool = False
    fails_at: int | None = None
    _open: int = 0

    def receive(self, message: Message, now: int) -> None:
        self.got.append(message)
        self._open -= 1
        if len(self.got) == self.fails_at:
            raise ZeroDivisionError("a bug of the machine")

    def due(self, now: int) -> list[Message]:
        if self._open > 0 or self.finished:
            return []
        if not self.waves:
            self.finished = True
            return []
        wave = self.waves.pop(0)
        self._open = sum(message.kind != "ws.close" for message in wave)
        self.finished = not self._open
        return wave

    def next_deadline(self) -> int | None:
        return None


async def _serve(request: web.BaseRequest) -> web.StreamResponse:
    if "websocket" in request.headers.get("upgrade", "").lower():
        if request.path == "/refused":
            return web.Response(status=403, body=b"no")
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await socket.send_str(f"{request.path} {message.data}")
        return socket
    body = (await request.read()).decode()
    told = {"path": request.path, "key": request.headers.get("authorization"), "body": body}
    return web.json_response(told, status=201)


@asynccontextmanager
async def _server() -> AsyncIterator[str]:
    runner = web.ServerRunner(web.Server(_serve))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def _open(channel: int, path: str) -> Message:
    return Message(channel, "ws.open", RequestHead("GET", path).encode())


def _text(channel: int, text: str) -> Message:
    return Message(channel, "ws.text", text.encode())


def _close(channel: int) -> Message:
    return Message(channel, "ws.close", Close(1000).encode())


def _ask(channel: int, path: str, body: bytes = b"", headers: Headers = ()) -> Message:
    head = RequestHead("POST", path, "", (("content-length", "9"), *headers))
    return Message(channel, "http.request", head.encode(), body)


async def _run(machine: Steps, base: str, **options: Any) -> list[Message]:
    await Conversation(machine, base, SystemClock(), **options).run(10)
    return machine.got


async def test_several_sockets_and_requests_run_side_by_side() -> None:
    waves = [
        [_open(1, "/a"), _open(2, "/b"), _ask(3, "/call", b"{}", OLD)],
        [_text(1, "x"), _text(2, "y")],
        [_close(1), _close(2)],
    ]
    async with _server() as base:
        got = await _run(Steps(waves), base)
    texts = {each.channel: each.body for each in got if each.kind == "ws.text"}
    assert texts == {1: b"/a x", 2: b"/b y"}
    (answer,) = [each for each in got if each.kind == "http.response"]
    assert ResponseHead.decode(answer.body).status == 201
    told = {"path": "/call", "key": "Bearer old", "body": "{}"}
    assert (answer.channel, json.loads(answer.payload)) == (3, told)


async def test_a_key_goes_to_the_base_where_there_is_none_and_nowhere_else() -> None:
    async with _server() as base, _server() as other:
        asked = _ask(1, "/call"), _ask(2, f"{other}/1/control"), _ask(3, "/call", headers=OLD)
        waves = [list(asked)]
        got = await _run(Steps(waves), base, headers={"Authorization": "Bearer new"})
    keys = {each.channel: json.loads(each.payload)["key"] for each in got}
    assert keys == {1: "Bearer new", 2: None, 3: "Bearer old"}


async def test_a_refused_upgrade_is_an_answer() -> None:
    async with _server() as base:
        (answer,) = await _run(Steps([[_open(1, "/refused")]]), base)
    assert (answer.kind, answer.payload) == ("ws.open", b"no")
    assert ResponseHead.decode(answer.body).status == 403


@pytest.mark.parametrize("fails_at", [1, 2])
async def test_what_goes_wrong_in_the_machine_is_raised_at_once(fails_at: int) -> None:
    waves = [[_open(1, "/a")], [_text(1, "x")], [_text(1, "y")]]
    async with _server() as base:
        with pytest.raises(ZeroDivisionError):
            await _run(Steps(waves, fails_at=fails_at), base)


async def test_what_goes_wrong_while_talking_is_raised_at_once() -> None:
    class Broken(Steps):
        def due(self, now: int) -> list[Message]:
            if self.got:
                raise ZeroDivisionError("a bug of the machine")
            return super().due(now)

    async with _server() as base:
        with pytest.raises(ZeroDivisionError):
            await _run(Broken([[_open(1, "/a")]]), base)


async def test_nobody_there_is_told() -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    for opening in (_open(1, "/a"), _ask(1, "/call")):
        with pytest.raises(Unreachable, match=f"cannot reach http://127.0.0.1:{port}"):
            await _run(Steps([[opening]]), f"http://127.0.0.1:{port}")


async def test_a_conversation_that_does_not_end_is_ended() -> None:
    waves = [[_open(1, "/a")], [_text(1, "x"), _text(1, "y"), _text(1, "z")]]
    machine = Steps(waves)
    async with _server() as base:
        with pytest.raises(RecorderError, match=r"did not end within 0\.3 s"):
            machine.waves.append([_text(9, "for a channel that is not there")])
            await Conversation(machine, base, SystemClock()).run(0.3)
    assert len(machine.got) == 4
