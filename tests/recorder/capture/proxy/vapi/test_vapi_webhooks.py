"""Deliveries of Vapi by way of the proxy: byte for byte there and back, whatever happens."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from recorder.capture.proxy import webhooks
from recorder.events import Event
from recorder.heads import RequestHead, ResponseHead, header
from recorder.providers.base import Signature
from recorder.providers.vapi import webhooks as hooks
from recorder.recording import Recording
from tests.recorder.capture.proxy.vapi.conftest import SECRET, House, open_house

pytestmark = pytest.mark.asyncio(loop_scope="module")


def message(type_: str, call: str | None = None, **fields: object) -> bytes:
    inner = {"type": type_, "timestamp": 1, **({"call": {"id": call}} if call else {}), **fields}
    return json.dumps({"message": inner}, indent=1).encode()


async def deliver(
    house: House, body: bytes, path: str = "", headers: Mapping[str, str] | None = None
) -> httpx.Response:
    told = {"content-type": "application/json", "user-agent": "vapi", **(headers or {})}
    async with httpx.AsyncClient(headers=told, timeout=20) as client:
        return await client.post(house.hook + path, content=body)


def kinds(events: list[Event]) -> list[tuple[str, str, str]]:
    return [(event.sender, event.kind, event.type) for event in events if event.kind != "note"]


async def settled(house: House, call: str, count: int) -> list[Event]:
    """The tape of a call once it has `count` answers of webhooks."""
    for _ in range(100):
        if await house.rows(call):
            events = await house.tape(call)
            if sum(event.kind == "webhook.response" for event in events) >= count:
                return events
        await asyncio.sleep(0.02)
    raise AssertionError(f"not {count} webhooks of {call}: {await house.rows(call)}")


async def test_bytes_and_headers_reach_the_server_and_its_answer_comes_back(house: House) -> None:
    call = str(uuid4())
    body = message("tool-calls", call, note="ünï ☃  spaced")
    answer = await deliver(house, body, "/a%20b?x=1&y=%2F", {"x-call-id": call, "X-Odd": "1, 2"})
    path, headers, seen = house.team.got[-1]
    assert (path, seen) == ("/hooks/a%20b?x=1&y=%2F", body)
    sent = {name.lower(): value for name, value in headers}
    assert sent[b"x-odd"] == b"1, 2"
    assert sent[b"x-call-id"] == call.encode()
    assert sent[b"content-length"] == str(len(body)).encode()
    assert sent[b"user-agent"] == b"vapi"
    assert b"accept-encoding" in sent
    assert (answer.status_code, answer.content) == (200, house.team.reply)
    assert answer.headers["x-team"] == "yes"
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    events = await settled(house, call, 1)
    assert kinds(events) == [
        ("provider", "webhook.request", "tool-calls"),
        ("provider", "http.chunk", "tool-calls"),
        ("provider", "http.chunk", "tool-calls"),
        ("client", "webhook.response", "200"),
        ("client", "http.chunk", "tool-calls"),
        ("client", "http.chunk", "tool-calls"),
    ]
    bodies = [event.body for event in events if event.kind == "http.chunk"]
    assert bodies == [body, b"", house.team.reply, b""]
    assert RequestHead.decode(events[0].body).query == "x=1&y=%2F"
    (channel,) = Recording(house.store, events[0].session).channels()
    assert channel.kind == "webhook"


async def test_a_failing_answer_is_passed_on_as_it_is(house: House) -> None:
    call = str(uuid4())
    answer = await deliver(house, message("status-update", call), "/500")
    assert (answer.status_code, answer.content) == (500, house.team.reply)
    events = await settled(house, call, 1)
    assert ("client", "webhook.response", "500") in kinds(events)


async def test_a_slow_answer_is_passed_on_when_it_comes(house: House) -> None:
    call = str(uuid4())
    house.team.release.clear()
    seen = len(house.team.got)
    waiting = asyncio.create_task(deliver(house, message("tool-calls", call), "/slow"))
    while len(house.team.got) == seen:
        await asyncio.sleep(0.01)
    done, _ = await asyncio.wait({waiting}, timeout=0.3)
    assert not done
    house.team.release.set()
    assert (await waiting).content == house.team.reply
    events = await settled(house, call, 1)
    asked = next(event for event in events if event.kind == "webhook.request")
    answered = next(event for event in events if event.kind == "webhook.response")
    assert answered.at_ns - asked.at_ns >= 300_000_000


async def test_vapi_that_does_not_wait_is_told_and_the_late_answer_is_kept(house: House) -> None:
    call = str(uuid4())
    house.team.release.clear()
    async with httpx.AsyncClient(timeout=0.2) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.post(house.hook + "/slow", content=message("tool-calls", call))
    await asyncio.sleep(0.05)
    house.team.release.set()
    events = await settled(house, call, 1)
    for _ in range(50):
        if any(event.type == "broken" for event in events):
            break
        await asyncio.sleep(0.02)
        events = await house.tape(call)
    assert any(event.type == "broken" and b"had gone" in event.body for event in events)
    assert ("client", "webhook.response", "200") in kinds(events)


async def test_a_server_that_breaks_off_breaks_off_for_vapi(house: House) -> None:
    call = str(uuid4())
    with pytest.raises(httpx.TransportError):
        await deliver(house, message("tool-calls", call), "/broken")
    events = await settled(house, call, 1)
    assert any(event.type == "broken" for event in events)


async def test_a_server_that_is_down_is_no_connection_for_vapi_either(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{free.getsockname()[1]}/hook"
        async with open_house(tmp_path / "down.db", webhook_to=nowhere) as house:
            call = str(uuid4())
            body = message("assistant-request", call)
            async with httpx.AsyncClient() as client:
                with pytest.raises(httpx.TransportError):
                    await client.post(nowhere, content=body)  # as it would be without the recorder
                with pytest.raises(httpx.TransportError):
                    await client.post(house.hook, content=body)
            for _ in range(50):
                if await house.rows(call):
                    break
                await asyncio.sleep(0.02)
            events = await house.tape(call)
            assert [event.type for event in events][-1] == "unreachable"
            assert b"refused" in events[-1].body.lower() or b"connect" in events[-1].body.lower()


async def test_without_a_server_deliveries_are_acknowledged(tmp_path: Path) -> None:
    async with open_house(tmp_path / "alone.db") as house:
        call = str(uuid4())
        answer = await deliver(house, message("end-of-call-report", call))
        assert (answer.status_code, answer.json()) == (200, {})
        events = await settled(house, call, 1)
        assert ("recorder", "webhook.response", "200") in kinds(events)


async def test_an_answer_in_sound_is_audio_at_the_rate_that_was_asked_for(house: House) -> None:
    call = str(uuid4())
    body = message("voice-request", call, text="Hello.", sampleRate=24000)
    answer = await deliver(house, body, "/voice")
    assert answer.content == b"\1\2" * 400
    events = await settled(house, call, 1)
    tape = Recording(house.store, events[0].session)
    await house.writer.drained()
    (segment,) = tape.segments()
    assert (segment.codec, segment.rate, segment.sender) == ("pcm16", 24000, "client")
    assert tape.audio(segment.number) == b"\1\2" * 400
    assert b"\1\2" * 400 in [event.body for event in tape.events()]


async def test_a_large_report_passes(house: House) -> None:
    call = str(uuid4())
    body = message("end-of-call-report", call, transcript="word " * 600_000)
    assert (await deliver(house, body)).status_code == 200
    assert house.team.got[-1][2] == body
    events = await settled(house, call, 1)
    assert events[1].body == body


async def test_messages_of_no_call_are_in_the_control_session(house: House) -> None:
    await deliver(house, message("campaign.predial", campaignId="c"))
    await deliver(house, b"this is no JSON")
    events = [e for e in await house.all_events() if e.kind == "webhook.request"]
    loose = [event for event in events if event.type in ("campaign.predial", "")]
    assert len(loose) == 2
    assert len({event.session for event in loose}) == 1
    row = house.store.session(loose[0].session)
    assert row
    assert row.external_id is None


@pytest.mark.parametrize(
    ("headers", "verdict"),
    [
        ({"X-Vapi-Secret": SECRET}, "ok"),
        ({"Authorization": f"Bearer {SECRET}"}, "ok"),
        ({"X-Vapi-Secret": "something else"}, "bad"),
        ({}, "missing"),
    ],
)
async def test_a_secret_is_checked_and_never_stored(
    house: House, headers: dict[str, str], verdict: str
) -> None:
    call = str(uuid4())
    answer = await deliver(house, message("hang", call), headers=headers)
    assert answer.status_code == 200
    events = await settled(house, call, 1)
    (note,) = [json.loads(event.body) for event in events if event.type == "signature"]
    assert note["verdict"] == verdict
    assert SECRET.encode() not in b"".join(event.body for event in events)
    assert header(RequestHead.decode(events[0].body).headers, "user-agent") == "vapi"


async def test_a_signature_covers_the_exact_bytes(house: House) -> None:
    call = str(uuid4())
    body = message("hang", call)
    signed = hmac.new(SECRET.encode(), b"1790000000." + body, hashlib.sha256).hexdigest()
    headers = {"x-signature": signed, "x-timestamp": "1790000000"}
    await deliver(house, body, headers=headers)
    await deliver(house, body + b" ", headers=headers)
    events = await settled(house, call, 2)
    verdicts = [json.loads(e.body)["verdict"] for e in events if e.type == "signature"]
    assert verdicts == ["ok", "bad"]
    assert signed.encode() not in b"".join(event.body for event in events)


async def test_an_unknown_address_names_the_known_ones(house: House) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.post(house.base + "/webhooks/nobody", content=b"{}")
    assert answer.status_code == 404
    assert "/webhooks/vapi" in answer.text


async def test_the_head_of_an_answer_is_kept_without_its_secrets(house: House) -> None:
    call = str(uuid4())
    await deliver(house, message("hang", call))
    events = await settled(house, call, 1)
    head = next(event for event in events if event.kind == "webhook.response")
    assert header(ResponseHead.decode(head.body).headers, "X-Team") == "yes"


async def control_channel(house: House, note: str) -> list[Event]:
    """The events of the latest delivery with such a note."""
    for _ in range(100):
        events = await house.all_events()
        found = [event for event in events if (event.kind, event.type) == ("note", note)]
        if found:
            last = (found[-1].session, found[-1].channel)
            return [event for event in events if (event.session, event.channel) == last]
        await asyncio.sleep(0.02)
    raise AssertionError(f"no note {note}")


@pytest.mark.parametrize("how", ["half", "chunk"])
async def test_a_delivery_that_breaks_off_is_recorded_and_goes_no_further(
    house: House, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    seen = len(house.team.got)
    host, _, port = house.base.removeprefix("http://").rpartition(":")
    _, writer = await asyncio.open_connection(host, int(port))
    length = b"Content-Length: 100" if how == "half" else b"Transfer-Encoding: chunked"
    head = b"POST /webhooks/vapi/%s HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n" % (how.encode(), length)
    writer.write(head + (b'{"a' if how == "half" else b'3\r\n{"a\r\n'))
    await asyncio.sleep(0.05)
    if how == "chunk":
        writer.write(b"zz\r\n")
        await asyncio.sleep(0.05)
    writer.transport.abort()
    for _ in range(100):
        events = await control_channel(house, "broken")
        if how.encode() in events[0].body:
            break
        await asyncio.sleep(0.02)
    assert [(event.kind, event.type) for event in events] == [
        ("webhook.request", ""),
        ("http.chunk", ""),
        ("note", "broken"),
    ]
    assert events[1].body == b'{"a'
    assert len(house.team.got) == seen
    assert not any(record.exc_info for record in caplog.records)


async def test_a_delivery_that_is_too_long_is_told(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(webhooks, "_LONGEST", 1000)
    answer = await deliver(house, message("hang", str(uuid4()), more="x" * 1000))
    assert answer.status_code == 413
    events = await control_channel(house, "too_long")
    assert [event.kind for event in events] == ["webhook.request", "note"]
    assert "longer than 1000 bytes" in events[1].body.decode()
    assert [record.getMessage() for record in caplog.records if "1000" in record.getMessage()] == [
        "a webhook was not passed on: its body is longer than 1000 bytes"
    ]


async def test_a_long_delivery_is_read_and_checked_on_a_thread(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: list[str] = []
    real = hooks.signature

    def kept(*args: Any) -> Signature:
        names.append(threading.current_thread().name)
        return real(*args)

    monkeypatch.setattr(hooks, "signature", kept)
    await deliver(house, message("hang", str(uuid4())))
    await deliver(house, message("hang", str(uuid4()), more="x" * (1 << 20)))
    assert names[0] == threading.main_thread().name
    assert names[1] != names[0]


async def test_header_values_that_are_no_utf8_pass_as_they_are(house: House) -> None:
    call = str(uuid4())
    body = message("hang", call)
    host, _, port = house.base.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = b"POST /webhooks/vapi/octets HTTP/1.1\r\nHost: x\r\nX-Name: caf\xe9 \xc3\xa9\r\n"
    writer.write(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    answer = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    assert (b"X-Name", b"caf\xe9 \xc3\xa9") in house.team.got[-1][1]
    assert b"x-team-name: th\xe9\r\n" in answer
    events = await settled(house, call, 1)
    assert header(RequestHead.decode(events[0].body).headers, "x-name") == r"caf\xe9 é"
    answered = next(event for event in events if event.kind == "webhook.response")
    assert header(ResponseHead.decode(answered.body).headers, "x-team-name") == r"th\xe9"


async def test_what_is_no_http_is_told_in_one_line(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    host, _, port = house.base.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        b"POST /webhooks/vapi HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
    )
    assert b" 400 " in await reader.readline()
    writer.close()
    told = [record for record in caplog.records if "no HTTP" in record.getMessage()]
    assert [(record.levelname, record.exc_info) for record in told] == [("WARNING", None)]
    assert told[0].getMessage() == "a request is no HTTP: Invalid character in chunk size"
