"""A machine behind real sockets, with real clients."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
import pytest
import websockets
from replaying import events, player
from tapes import SECRETS, Script, conversation, session_object, tone
from websockets.exceptions import ConnectionClosed, InvalidStatus

from recorder.capture.log import Log
from recorder.capture.writer import Writer
from recorder.clock import SystemClock
from recorder.errors import RecorderError
from recorder.events import Machine
from recorder.heads import ResponseHead
from recorder.recording import Recording
from recorder.store import open_store
from replay.server import MachineServer
from replay.simulators.openai import OpenAISimulator, Options


@asynccontextmanager
async def serving(machine: Machine, **options: Any) -> AsyncIterator[MachineServer]:
    async with asyncio.timeout(10):
        async with MachineServer(machine, SystemClock(), prefix="/openai", **options) as server:
            yield server


def socket_url(server: MachineServer, path: str = "/openai/v1/realtime?model=gpt-realtime") -> str:
    return "ws" + server.url.removeprefix("http") + path


async def test_a_tape_comes_byte_for_byte_and_as_text() -> None:
    takes = conversation()
    machine = player(takes)
    got: list[str | bytes] = []
    async with serving(machine) as server:
        async with websockets.connect(socket_url(server)) as socket:
            for event in events(takes):
                if event.kind != "ws.text":
                    continue
                if event.sender == "client":
                    await socket.send(event.body.decode())
                else:
                    got.append(await socket.recv())
        assert await server.until(lambda: machine.finished, 5)
    recorded = [each for each in events(takes) if each.sender == "provider"]
    assert got == [each.body.decode() for each in recorded if each.kind == "ws.text"]
    assert machine.failure is None


async def test_a_mismatch_reaches_the_client_as_an_error_event_and_a_close() -> None:
    machine = player(conversation())
    async with serving(machine) as server, websockets.connect(socket_url(server)) as socket:
        await socket.recv()
        await socket.send('{"type":"response.cancel"}')
        error = json.loads(await socket.recv())
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
    assert error["error"]["code"] == "replay_mismatch"
    assert closed.value.rcvd
    assert closed.value.rcvd.code == 1008
    assert "expected session.update" in closed.value.rcvd.reason


@pytest.mark.parametrize(("code", "seen"), [(1000, 1000), (1013, 1013), (1005, 1005), (1006, 1006)])
async def test_the_close_of_the_tape_reaches_the_client(code: int, seen: int) -> None:
    machine = player(Script().open().close(code, "" if code == 1005 else "why", "provider").takes)
    async with serving(machine) as server:
        async with aiohttp.ClientSession() as http:
            socket = await http.ws_connect(socket_url(server))
            message = await socket.receive()
            if code == 1005:
                assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 0)
            elif code == 1006:
                assert message.type is not aiohttp.WSMsgType.CLOSE
            else:
                assert (message.data, message.extra) == (seen, "why")
        assert await server.until(lambda: server.connections == 0, 5)
    assert machine.failure is None


async def test_a_lost_client_is_noticed() -> None:
    machine = player(conversation())
    async with serving(machine) as server:
        socket = await websockets.connect(socket_url(server))
        socket.transport.abort()
        assert await server.until(lambda: machine.finished, 5)
    assert machine.failure
    assert "the connection was lost" in machine.failure.headline


async def test_subprotocols_and_compression_are_negotiated() -> None:
    script = Script().open()
    answer = ResponseHead(101, "Switching Protocols", (("openai-version", "x"),), "realtime")
    script.takes[1] = script.takes[1]._replace(body=answer.encode())
    script.provider("session.created", session=session_object()).close()
    offers = ["realtime", "openai-insecure-api-key.ek_test"]
    async with (
        serving(player(script.takes)) as server,
        websockets.connect(socket_url(server), subprotocols=offers) as socket,  # type: ignore[arg-type]
    ):
        assert socket.subprotocol == "realtime"
        assert socket.response
        assert "permessage-deflate" in socket.response.headers["Sec-WebSocket-Extensions"]
        assert socket.response.headers["openai-version"] == "x"
        assert isinstance(await socket.recv(), str)


async def test_a_refused_upgrade_is_a_plain_answer() -> None:
    refusal = ResponseHead(403, "Forbidden", (("Content-Type", "application/json"),))
    script = Script().open()
    script.takes[1] = script.takes[1]._replace(body=refusal.encode())
    script.add("provider", "http.chunk", b'{"error":{"code":"no_access"}}')
    async with serving(player(script.takes)) as server:
        with pytest.raises(InvalidStatus) as refused:
            await websockets.connect(socket_url(server))
    assert refused.value.response.status_code == 403
    assert refused.value.response.body == b'{"error":{"code":"no_access"}}'


async def test_messages_to_32_mib_pass_and_larger_ones_do_not() -> None:
    large = json.dumps({"type": "input_audio_buffer.append", "audio": "A" * (20 << 20)})
    machine = player(Script().open().client("response.create").close().takes)
    async with serving(machine) as server, aiohttp.ClientSession() as http:
        socket = await http.ws_connect(socket_url(server))
        await socket.send_str(large)
        with suppress(ConnectionError):  # the server does not read it all
            await socket.send_str("x" * (33 << 20))
        assert await server.until(lambda: machine.finished, 5)
    assert machine.failure
    assert "the client closed (1009)" in machine.failure.headline


async def test_http_and_websocket_share_the_port_and_the_prefix_may_be_missing() -> None:
    simulator = OpenAISimulator(1, 1_800_000_000_000_000_000, Options(latency_ms=0, jitter_ms=0))
    async with serving(simulator) as server, aiohttp.ClientSession() as http:
        for prefix in ("/openai", ""):
            url = f"{server.url}{prefix}/v1/realtime/client_secrets"
            body = {"session": {"type": "realtime"}}
            headers = {"Authorization": "Bearer sk-test"}
            async with http.post(url, json=body, headers=headers) as answer:
                assert answer.status == 200
                secret = (await answer.json())["value"]
            headers = {"Authorization": f"Bearer {secret}"}
            path = f"{prefix}/v1/realtime?model=gpt-realtime"
            async with http.ws_connect(socket_url(server, path), headers=headers) as socket:
                assert (await socket.receive_json())["type"] == "session.created"


async def test_a_port_in_use_is_one_clear_line() -> None:
    async with serving(player(conversation())) as server:
        port = int(server.url.rpartition(":")[2])
        with pytest.raises(RecorderError, match=f"cannot listen on 127.0.0.1:{port}: .*--listen"):
            async with serving(player(conversation()), port=port):
                raise AssertionError("two servers on one port")


async def test_a_stopping_server_tells_its_clients() -> None:
    async with serving(player(conversation())) as server:
        socket = await websockets.connect(socket_url(server))
        await socket.recv()
    with pytest.raises(ConnectionClosed) as closed:
        await socket.recv()
    assert closed.value.rcvd
    assert closed.value.rcvd.code == 1001


async def test_what_happens_is_recorded() -> None:
    takes = conversation()
    store = open_store("memory:", create=True)
    writer = Writer(store, SystemClock(), SECRETS)
    writer.start()
    tape = writer.open("openai", "trial", origin="replay", parent="parent")
    async with serving(player(takes), log=Log(lambda _: tape, writer)) as server:
        async with websockets.connect(socket_url(server)) as socket:
            for event in events(takes):
                if event.kind == "ws.text" and event.sender == "client":
                    await socket.send(event.body.decode())
                elif event.kind == "ws.text":
                    await socket.recv()
        assert await server.until(lambda: server.connections == 0, 5)
    await asyncio.to_thread(writer.close)
    recorded = list(Recording(store, tape.session).events())
    for sender in ("client", "provider"):
        want = [each.body for each in events(takes) if each[4:6] == (sender, "ws.text")]
        assert [each.body for each in recorded if each[4:6] == (sender, "ws.text")] == want
    assert [(each.sender, each.type) for each in recorded if each.kind == "ws.close"] == [
        ("client", "1000")
    ]
    row = store.session(tape.session)
    assert row
    assert (row.parent, row.origin, row.status) == ("parent", "replay", "complete")


async def test_the_official_client_holds_a_conversation_with_the_simulator() -> None:
    from openai import AsyncOpenAI  # loads for a second

    simulator = OpenAISimulator(7, 1_800_000_000_000_000_000, Options(pace=100.0, latency_ms=10))
    async with serving(simulator) as server:
        client = AsyncOpenAI(api_key="sk-test", base_url=f"{server.url}/openai/v1")
        async with client.realtime.connect(model="gpt-realtime") as connection:
            types = []
            speech = tone(800) + bytes(48 * 800)
            for at in range(0, len(speech), 9600):
                audio = base64.b64encode(speech[at : at + 9600]).decode()
                await connection.input_audio_buffer.append(audio=audio)
            async for event in connection:
                types.append(event.type)
                if event.type == "response.done":
                    break
        await client.close()
    assert types[0] == "session.created"
    assert "input_audio_buffer.speech_stopped" in types
    assert "response.output_audio.delta" in types
