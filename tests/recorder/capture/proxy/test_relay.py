"""WebSockets through the proxy: what each side saw is what the tape holds."""

from __future__ import annotations

import asyncio
import sqlite3

import pytest
from aiohttp import WSMsgType
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from recorder.capture.process import WriterProcess
from recorder.events import Event
from recorder.heads import Close, RequestHead, ResponseHead, header
from tests.recorder.capture.proxy.conftest import House

pytestmark = pytest.mark.asyncio(loop_scope="module")
WRITING = WriterProcess
"""The writer of `house` here."""
KEY = "sk-proj-canary0123456789abcdefghijklmnop"


def dial(house: House, model: str, **options: object) -> connect:
    url = f"ws{house.base.removeprefix('http')}/v1/realtime?model={model}"
    options.setdefault("additional_headers", {"Authorization": f"Bearer {KEY}"})
    return connect(url, max_size=None, **options)  # type: ignore[arg-type]


def bodies(events: list[Event], sender: str, *kinds: str) -> list[bytes]:
    return [event.body for event in events if event.sender == sender and event.kind in kinds]


async def echoed(socket: ClientConnection, message: str | bytes) -> str | bytes:
    await socket.send(message)
    return await socket.recv()


async def test_every_message_is_on_the_tape_as_it_crossed(house: House) -> None:
    house.upstream.heard.clear()
    said = [
        '{"type":"x"}',
        "",
        "ünï ☃",
        b"\x00\xff binary",
        '{ "type" : "spaced" }',
        "x" * 5_000_000,
    ]
    async with dial(house, "bytes") as socket:
        for message in said:
            assert await echoed(socket, message) == message
    row, events = await house.tape("bytes")
    raw = [text.encode() if isinstance(text, str) else text for text in said]
    assert [data for _, data in house.upstream.heard] == raw
    assert bodies(events, "client", "ws.text", "ws.binary") == raw
    assert bodies(events, "provider", "ws.text", "ws.binary") == raw
    kinds = [e.kind for e in events if e.sender == "client" and e.kind.startswith(("ws.t", "ws.b"))]
    assert kinds == ["ws.text", "ws.text", "ws.text", "ws.binary", "ws.text", "ws.text"]
    assert row.status == "complete"
    assert [event.seq for event in events] == list(range(1, len(events) + 1))


@pytest.mark.parametrize("compression", ["deflate", None])
async def test_compression_is_negotiated_and_messages_are_recorded_plain(
    house: House, compression: str | None
) -> None:
    model = f"deflate-{compression}"
    async with dial(house, model, compression=compression) as socket:
        assert await echoed(socket, "again " * 1000) == "again " * 1000
        assert bool(socket.protocol.extensions) == (compression is not None)
    _, events = await house.tape(model)
    assert bodies(events, "client", "ws.text") == [b"again " * 1000]


async def test_a_fragmented_message_is_one_event(house: House) -> None:
    async with dial(house, "fragments") as socket:
        await socket.send(["one ", "two ", "three"])
        assert await socket.recv() == "one two three"
    _, events = await house.tape("fragments")
    assert bodies(events, "client", "ws.text") == [b"one two three"]


async def test_pings_pass_through_and_are_recorded(house: House) -> None:
    async with dial(house, "pings") as socket:
        await asyncio.wait_for(await socket.ping(b"are you there"), 5)
    _, events = await house.tape("pings")
    assert bodies(events, "client", "ws.ping") == [b"are you there"]
    assert bodies(events, "provider", "ws.pong") == [b"are you there"]


async def test_handshake_is_recorded_without_the_key(house: House) -> None:
    offers = [Subprotocol("realtime"), Subprotocol(f"openai-insecure-api-key.{KEY}")]
    async with dial(house, "browser", subprotocols=offers, additional_headers={}) as socket:
        assert socket.subprotocol == "realtime"
        assert socket.response
        assert socket.response.headers["x-upstream"] == "here"
    _, events = await house.tape("browser")
    asked, answered = (event.body for event in events[:2])
    request, answer = RequestHead.decode(asked), ResponseHead.decode(answered)
    assert request.path == "/v1/realtime"
    assert request.query == "model=browser"
    assert request.subprotocols[0] == "realtime"
    assert request.subprotocols[1].startswith("openai-insecure-api-key.")
    assert answer.status == 101
    assert answer.subprotocol == "realtime"
    assert header(answer.headers, "X-Upstream") == "here"
    assert KEY.encode() not in asked


@pytest.mark.parametrize("status", [401, 403, 429, 503])
async def test_a_refusal_reaches_the_client_as_it_was(house: House, status: int) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await dial(house, f"refused&refuse={status}").__aenter__()
    response = refused.value.response
    assert response.status_code == status
    assert response.body == b'{"error": {"message": "no such model"}}'
    events = [e for e in await house.all_events() if e.kind == "ws.open" and e.type == str(status)]
    assert events
    assert events[0].sender == "provider"


@pytest.mark.parametrize(("code", "reason"), [(1000, ""), (1001, "leaving"), (4242, "ünknown")])
async def test_the_clients_close_arrives_as_it_was(house: House, code: int, reason: str) -> None:
    model = f"close-{code}"
    socket = await dial(house, model)
    await echoed(socket, "hello")
    await socket.close(code, reason)
    _, events = await house.tape(model)
    closes = [event for event in events if event.kind == "ws.close"]
    assert [(event.sender, Close.decode(event.body)) for event in closes] == [
        ("client", Close(code, reason))
    ]
    assert house.upstream.closed[-1] == (code, reason)


async def test_the_providers_close_arrives_as_it_was(house: House) -> None:
    socket = await dial(house, "closed")
    await socket.send("close me")
    with pytest.raises(ConnectionClosed) as closed:
        await socket.recv()
    assert closed.value.rcvd
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4004, "model_not_found")
    _, events = await house.tape("closed")
    assert events[-1].sender == "provider"
    assert Close.decode(events[-1].body) == Close(4004, "model_not_found")


async def test_a_lost_provider_is_a_lost_connection_for_the_client(house: House) -> None:
    socket = await dial(house, "lost")
    await socket.send("drop me")
    with pytest.raises(ConnectionClosed) as closed:
        await socket.recv()
    assert closed.value.rcvd is None
    _, events = await house.tape("lost")
    assert (events[-1].sender, Close.decode(events[-1].body).code) == ("provider", 1006)


async def test_a_lost_client_is_recorded_as_lost(house: House) -> None:
    socket = await dial(house, "gone")
    await echoed(socket, "hello")
    socket.transport.abort()
    await asyncio.sleep(0.1)
    row, events = await house.tape("gone")
    assert (events[-1].sender, Close.decode(events[-1].body).code) == ("client", 1006)
    assert row.status == "complete"


async def test_a_message_beyond_the_limit_closes_with_1009(house: House) -> None:
    socket = await dial(house, "huge", compression=None)
    with pytest.raises(ConnectionClosed) as closed:
        await socket.send("x" * ((32 << 20) + 1))
        await socket.recv()
    assert closed.value.rcvd
    assert closed.value.rcvd.code == 1009


async def test_a_locked_store_ends_the_conversation_with_a_clear_error(house: House) -> None:
    socket = await dial(house, "locked")
    await echoed(socket, "before")
    await house.writer.drained()
    with sqlite3.connect(house.path, isolation_level=None) as lock:
        lock.execute("BEGIN IMMEDIATE")
        await socket.send("during")
        said: list[str | bytes] = []
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                said.append(await asyncio.wait_for(socket.recv(), 20))
        lock.execute("ROLLBACK")
    assert closed.value.rcvd
    assert closed.value.rcvd.code == 1011
    assert b"recorder_store_failed" in str(said[-1]).encode()
    for _ in range(50):
        row, events = await house.tape("locked")
        if row.status == "incomplete":
            break
        await asyncio.sleep(0.2)
    assert row.status == "incomplete"
    assert events[-1].type == "hole"
    assert any(event.body == b"before" for event in events)


async def test_text_frames_stay_text(house: House) -> None:
    house.upstream.heard.clear()
    async with dial(house, "opcodes") as socket:
        assert await echoed(socket, "text") == "text"
        assert await echoed(socket, b"bytes") == b"bytes"
    assert [kind for kind, _ in house.upstream.heard] == [WSMsgType.TEXT, WSMsgType.BINARY]


async def test_several_wait_for_the_writer_at_once(house: House) -> None:
    async with asyncio.timeout(10):
        await asyncio.gather(*(house.writer.drained() for _ in range(5)))
        await house.writer.drained()
