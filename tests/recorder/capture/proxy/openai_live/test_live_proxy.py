"""GPT-Live through the proxy: one session is one tape, whatever it is reached by."""

from __future__ import annotations

import asyncio
import hmac
import json
import struct
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import WSMsgType, web

from recorder.capture.process import WriterProcess
from recorder.capture.proxy.options import ProxyOptions
from recorder.capture.proxy.server import Proxy
from recorder.clock import SystemClock
from recorder.events import Event
from recorder.heads import RequestHead
from recorder.recording import Recording
from recorder.store import open_store
from recorder.store.base import SessionRow, Store
from tests.recorder.capture.proxy.thread_writer import ThreadWriter

pytestmark = pytest.mark.asyncio(loop_scope="module")
KEY = "sk-proj-canary0123456789abcdefghijklmnop"
MCP = "mcp-canary-secret-8231"
HOOK = "whsec_" + b64encode(b"a key of webhooks").decode()
SILENCE = b64encode(bytes(4800)).decode()
WAV = (
    b"RIFF"
    + struct.pack("<I", 36 + 4096)
    + b"WAVEfmt "
    + struct.pack("<IHHIIHH", 16, 1, 2, 24_000, 96_000, 4, 16)
    + b"data"
    + struct.pack("<I", 4096)
    + bytes(range(256)) * 16
)


@dataclass
class Live:
    """The provider: every session it makes has the next id."""

    made: int = 0
    paths: list[str] = field(default_factory=list)

    def started(self, name: str, model: str) -> str:
        session = {"id": name, "model": model, "status": "active"}
        return json.dumps({"event_id": "event_1", "type": "session.started", "session": session})

    def next_id(self) -> str:
        self.made += 1
        return f"live_u0_{self.made:032}"

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.paths.append(request.path_qs)
        if request.headers.get("upgrade"):
            return await self._socket(request)
        await request.read()
        if request.path.endswith("/content"):
            return web.Response(body=WAV, content_type="audio/wav")
        if request.path.endswith(("/live/sessions", "/fork")):
            told = {
                "session": {"id": self.next_id()},
                "transport": {"type": "webrtc", "sdp": "v=0"},
            }
            return web.json_response(told)
        return web.json_response({})

    async def _socket(self, request: web.BaseRequest) -> web.StreamResponse:
        socket: web.WebSocketResponse[Any] = web.WebSocketResponse()
        await socket.prepare(request)
        if request.path.endswith("/attach"):
            await socket.send_str(self.started(request.path.split("/")[-2], "gpt-live-1"))
            for type_, key in (
                ("session.input_audio.append", "audio"),
                ("session.output_audio.delta", "delta"),
            ):
                place = {"start_ms": 0, "end_ms": 100} if key == "delta" else {}
                await socket.send_str(json.dumps({"type": type_, key: SILENCE, **place}))
        async for message in socket:
            told = json.loads(message.data)
            if told["type"] == "session.start":
                model = told["session"].get("model", "of the parent")
                await socket.send_str(self.started(self.next_id(), model))
            elif told["type"] == "session.close":
                await socket.send_str('{"event_id":"event_9","type":"session.closed"}')
        return socket


@dataclass
class House:
    base: str
    live: Live
    store: Store
    writer: WriterProcess
    path: Path
    http: aiohttp.ClientSession

    @property
    def sessions(self) -> str:
        return f"{self.base}/openai/v1/live/sessions"

    async def tape(self, name: str) -> tuple[SessionRow, list[Event]]:
        await self.writer.drained()
        [row] = [row for row in self.store.sessions() if row.external_id == name]
        return row, list(Recording(self.store, row.id).events())

    @asynccontextmanager
    async def primary(
        self, model: str, path: str = "", **session: Any
    ) -> AsyncIterator[tuple[aiohttp.ClientWebSocketResponse[Any], str]]:
        headers = {"Authorization": f"Bearer {KEY}"}
        async with self.http.ws_connect(self.sessions + path, headers=headers) as socket:
            told = {"type": "session.start", "session": {"model": model, **session}}
            await socket.send_str(json.dumps(told))
            started = json.loads(await socket.receive_str())
            yield socket, started["session"]["id"]


async def _serve(handler: Any) -> tuple[web.ServerRunner, str]:
    runner = web.ServerRunner(web.Server(handler))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    path = tmp_path_factory.mktemp("live") / "tape.db"
    live = Live()
    runner, url = await _serve(live.handle)
    writer = ThreadWriter(f"sqlite:///{path}", SystemClock())
    await writer.start()
    store = open_store(f"sqlite:///{path}", create=False, readonly=True)
    options = ProxyOptions(webhook_secret=HOOK)
    proxy = Proxy(writer, "tests", {"openai": url}, options)
    base = await proxy.start("127.0.0.1", 0)
    async with aiohttp.ClientSession() as http:
        yield House(base, live, store, writer, path, http)
    await proxy.stop()
    await writer.close()
    store.close()
    await runner.cleanup()


def kinds(events: list[Event]) -> set[tuple[int, str]]:
    return {(event.channel, event.type) for event in events if event.sender != "recorder"}


async def test_a_session_is_one_tape_by_whatever_it_is_reached(house: House) -> None:
    async with house.primary("gpt-live-1") as (socket, name):
        append = {"type": "session.input_audio.append", "audio": SILENCE}
        await socket.send_str(json.dumps(append))
        async with house.http.ws_connect(f"{house.sessions}/{name}/attach") as sideband:
            for _ in range(3):
                await sideband.receive_str()
        async with house.http.post(f"{house.sessions}/{name}/hangup") as answer:
            assert answer.status == 200
        await _deliver(house, "live.transport.connected", name)
        await socket.send_str('{"type":"session.close"}')
        await socket.receive_str()
    row, events = await house.tape(name)
    assert (row.provider, row.model) == ("openai-live", "gpt-live-1")
    assert kinds(events) >= {
        (1, "session.start"),
        (1, "session.started"),
        (1, "session.input_audio.append"),
        (1, "session.closed"),
        (2, "session.started"),
        (2, "session.input_audio.append"),
        (2, "session.output_audio.delta"),
        (3, "POST /v1/live/sessions/{id}/hangup"),
        (4, "live.transport.connected"),
    }
    both = [event for event in events if event.type == "session.input_audio.append"]
    assert [(event.channel, event.sender) for event in both] == [(1, "client"), (2, "provider")]
    assert SILENCE.encode() in both[0].body
    segments = [(each.channel, each.sender, each.stream) for each in house.store.segments(row.id)]
    assert segments == [(1, "client", ""), (2, "provider", "input"), (2, "provider", "")]


async def _deliver(house: House, type_: str, name: str) -> None:
    data = {"session_id": name, "type": "webrtc"}
    body = json.dumps({"id": "evt_1", "object": "event", "type": type_, "data": data}).encode()
    payload = b"msg_1.1795000000." + body
    signed = b64encode(hmac.digest(b"a key of webhooks", payload, "sha256")).decode()
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": "1795000000",
        "webhook-signature": f"v1,{signed}",
    }
    url = f"{house.base}/webhooks/openai-live"
    async with house.http.post(url, data=body, headers=headers) as answer:
        assert answer.status == 200


async def test_a_session_made_by_rest_has_its_sideband_and_its_recording(house: House) -> None:
    offer = {"session": {"model": "gpt-live-1.1"}, "transport": {"type": "webrtc", "sdp": "v=0"}}
    async with house.http.post(house.sessions, json=offer) as answer:
        name = (await answer.json())["session"]["id"]
    await _deliver(house, "live.transport.connected", name)
    async with house.http.ws_connect(f"{house.sessions}/{name}/attach") as sideband:
        await sideband.receive_str()
    async with house.http.get(f"{house.sessions}/{name}/content") as answer:
        assert await answer.read() == WAV
    row, events = await house.tape(name)
    assert row.model == "gpt-live-1.1"
    assert kinds(events) >= {
        (1, "POST /v1/live/sessions"),
        (2, "live.transport.connected"),
        (3, "GET /v1/live/sessions/{id}/attach"),
        (4, "GET /v1/live/sessions/{id}/content"),
    }
    [note] = [event for event in events if event.kind == "note" and event.type == "signature"]
    assert json.loads(note.body)["verdict"] == "ok"
    stereo = [each for each in house.store.segments(row.id) if each.channels == 2]
    assert [(each.rate, each.stream) for each in stereo] == [(24_000, "recording")]


async def test_a_fork_is_a_session_of_its_own_that_names_its_parent(house: House) -> None:
    async with house.primary("gpt-live-1") as (_, parent):
        pass
    async with house.primary("", f"/{parent}/fork") as (_, name):
        assert name != parent
    _, events = await house.tape(name)
    assert RequestHead.decode(events[0].body).path.endswith(f"/{parent}/fork")
    assert len((await house.tape(parent))[1]) < len(events) + 4


@pytest.mark.parametrize("path", ["/openai/openai/v1/live/sessions", "/openai/openai/v1/live"])
async def test_paths_of_azure(house: House, path: str) -> None:
    async with house.http.ws_connect(house.base + path) as socket:
        await socket.send_str('{"type":"session.start","session":{"model":"gpt-live-1"}}')
        name = json.loads(await socket.receive_str())["session"]["id"]
    row, _ = await house.tape(name)
    assert row.provider == "openai-live"
    assert house.live.paths[-1] == path.removeprefix("/openai")


async def test_the_realtime_api_stays_where_it_is(house: House) -> None:
    url = f"{house.base}/openai/v1/realtime?model=gpt-realtime"
    async with house.http.ws_connect(url) as socket:
        await socket.send_str('{"type":"session.update"}')
    await house.writer.drained()
    [row] = [row for row in house.store.sessions() if row.model == "gpt-realtime"]
    assert row.provider == "openai"


async def test_secrets_never_reach_the_disk(house: House) -> None:
    server = {"type": "mcp", "server_label": "crm", "authorization": MCP}
    server["headers"] = {"X-Api-Key": MCP + "-header"}  # type: ignore[assignment]
    work = {"type": "responses", "responses": {"model": "gpt-4.1", "tools": [server]}}
    async with house.primary("gpt-live-1", delegation=work) as (_, name):
        pass
    await house.tape(name)
    stored = b"".join(path.read_bytes() for path in house.path.parent.iterdir())
    assert b"server_label" in stored
    assert KEY.encode() not in stored
    assert MCP.encode() not in stored


async def test_a_webhook_of_no_live_session_goes_to_the_control_tape(house: House) -> None:
    await _deliver(house, "realtime.call.incoming", "rtc_u0_1")
    await house.writer.drained()
    await asyncio.sleep(0)
    rows = [row for row in house.store.sessions() if row.external_id is None]
    types = {event.type for row in rows for event in Recording(house.store, row.id).events()}
    assert "realtime.call.incoming" in types


async def test_a_session_that_never_starts_is_a_tape_without_a_name(house: House) -> None:
    async with house.http.ws_connect(house.sessions) as socket:
        await socket.send_str('{"type":"session.close"}')
        assert (await socket.receive()).type is WSMsgType.TEXT
    while True:  # its end is written after the client's socket has gone
        await house.writer.drained()
        [row] = [each for each in house.store.sessions() if _closes_unnamed(house.store, each)]
        if row.status != "recording":
            break
        await asyncio.sleep(0.01)
    assert row.status == "complete"


def _closes_unnamed(store: Store, row: SessionRow) -> bool:
    types = [event.type for event in Recording(store, row.id).events()]
    return row.external_id is None and "session.closed" in types
