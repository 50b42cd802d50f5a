"""The socket of a call through the proxy: its audio sample for sample, its messages as events."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect

from recorder.capture.proxy import tapes
from recorder.events import Event
from recorder.providers import PROVIDERS
from recorder.recording import Recording
from recorder.report.sound import two_sides
from tests.recorder.capture.proxy.vapi.conftest import House

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def begin(house: House, audio: dict[str, Any] | None) -> tuple[str, dict[str, Any]]:
    house.vapi.audio = audio
    async with httpx.AsyncClient() as client:
        transport: dict[str, Any] = {"provider": "vapi.websocket"}
        body = {"transport": transport | ({"audioFormat": audio} if audio else {})}
        call: dict[str, Any] = (await client.post(house.rest + "/call", json=body)).json()
    house.vapi.audio = None
    return call["id"], call


async def frames(socket: ClientConnection, sent: list[bytes]) -> AsyncIterator[bytes]:
    """What comes back for each frame; the far side turns it round."""
    await socket.recv()
    for frame in sent:
        await socket.send(frame)
        back = await socket.recv()
        assert isinstance(back, bytes)
        yield back


def pieces(count: int, size: int, seed: int) -> list[bytes]:
    chance = random.Random(seed)
    return [chance.randbytes(size) for _ in range(count)]


async def finished(house: House, call: str) -> list[Event]:
    for _ in range(50):
        events = await house.tape(call)
        if any(event.kind == "ws.close" for event in events):
            return events
        await asyncio.sleep(0.02)
    raise AssertionError("the socket is still open")


@pytest.mark.parametrize(
    ("audio", "codec", "rate", "size"),
    [
        (None, "pcm16", 16_000, 640),
        ({"format": "pcm_s16le", "container": "raw", "sampleRate": 44_100}, "pcm16", 44_100, 1764),
        ({"format": "mulaw", "container": "raw", "sampleRate": 8_000}, "pcmu", 8_000, 160),
        ({"format": "mulaw", "container": "raw"}, "pcmu", 8_000, 160),
    ],
)
async def test_audio_is_kept_in_the_format_of_the_call_sample_for_sample(
    house: House, audio: dict[str, Any] | None, codec: str, rate: int, size: int
) -> None:
    call, told = await begin(house, audio)
    sent = [*pieces(20, size, 1), b"\x01", *pieces(2, size + 7, 2)]
    async with connect(told["transport"]["websocketCallUrl"]) as socket:
        back = [frame async for frame in frames(socket, sent)]
    assert back == [frame[::-1] for frame in sent]
    events = await finished(house, call)
    binary = [event for event in events if event.kind == "ws.binary"]
    assert [event.body for event in binary if event.sender == "client"] == sent
    assert [event.body for event in binary if event.sender == "provider"] == back
    assert {event.type for event in binary} == {"audio"}
    tape = Recording(house.store, events[0].session)
    found = {segment.sender: segment for segment in tape.segments()}
    assert set(found) == {"client", "provider"}
    for sender, whole in (("client", sent), ("provider", back)):
        segment = found[sender]  # type: ignore[index]
        assert (segment.codec, segment.rate, segment.channels) == (codec, rate, 1)
        assert tape.audio(segment.number) == b"".join(whole)
        assert tape.sealed(segment.number)


async def test_a_socket_after_the_end_of_its_tape_has_the_format_of_the_call(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tapes, "_LINGER_S", 0.05)
    audio = {"format": "mulaw", "container": "raw", "sampleRate": 8_000}
    call, told = await begin(house, audio)
    for _ in range(2):  # the second time after sound of its own
        await asyncio.sleep(0.3)
        assert (await house.rows(call))[0].status == "complete"
        async with connect(told["transport"]["websocketCallUrl"]) as socket:
            async for _ in frames(socket, pieces(3, 160, 4)):
                pass
    events = await finished(house, call)
    segments = Recording(house.store, events[0].session).segments()
    assert len(segments) == 4
    assert {(each.codec, each.rate) for each in segments} == {("pcmu", 8_000)}


async def test_the_two_sides_can_be_heard(house: House) -> None:
    call, told = await begin(house, None)
    loud = (b"\x00\x40" * 320, b"\x00\x20" * 320)
    async with connect(told["transport"]["websocketCallUrl"]) as socket:
        async for _ in frames(socket, list(loud)):
            pass
    events = await finished(house, call)
    tape = Recording(house.store, events[0].session)
    lanes = two_sides(tape.moments(), PROVIDERS["vapi"].listener(), 16_000)
    assert sorted({int(value) for value in lanes[:, 0]} - {0}) == [0x2000, 0x4000]
    assert sorted({int(value) for value in lanes[:, 1]} - {0}) == [0x20, 0x40]


async def test_text_frames_are_events_by_their_type(house: House) -> None:
    call, told = await begin(house, None)
    said = [
        '{"type":"say","content":"Hello."}',
        '{"type":"transcript","role":"user","transcriptType":"final","transcript":"Hi."}',
        '{"role":"user","type":"speech-update"}',
        '{"message":{"role":"system","content":"x"},"type":"add-message"}',
        "no JSON",
    ]
    async with connect(told["transport"]["websocketCallUrl"]) as socket:
        await socket.recv()
        for text in said:
            await socket.send(text)
            assert await socket.recv() == text
    events = await finished(house, call)
    told_types = [e.type for e in events if e.kind == "ws.text" and e.sender == "client"]
    assert told_types == ["say", "transcript", "speech-update", "add-message", ""]


async def test_what_a_listener_hears_is_kept_apart(house: House) -> None:
    call, told = await begin(house, None)
    async with connect(told["monitor"]["listenUrl"]) as socket:
        async for _ in frames(socket, pieces(3, 640, 3)):
            pass
    events = await finished(house, call)
    assert {event.type for event in events if event.kind == "ws.binary"} == {"listen.audio"}
    tape = Recording(house.store, events[0].session)
    lanes = two_sides(tape.moments(), PROVIDERS["vapi"].listener(), 16_000)
    assert lanes.shape == (0, 2)
