"""HTTP through the proxy."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import httpx
import pytest

from recorder.events import Event
from recorder.heads import RequestHead, ResponseHead, header
from recorder.recording import Recording
from tests.recorder.capture.proxy.conftest import SSE, House

pytestmark = pytest.mark.asyncio(loop_scope="module")
KEY = "sk-proj-canary0123456789abcdefghijklmnop"


async def exchange(house: House, method: str, path: str, **options: object) -> httpx.Response:
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {KEY}"}) as client:
        return await client.request(method, house.base + path, **options)  # type: ignore[arg-type]


async def recorded(house: House, name: str) -> list[Event]:
    """The events of the last channel whose request is `name`."""
    events = await house.all_events()
    channel = [event for event in events if event.type == name and event.kind == "http.request"][-1]
    return [
        event
        for event in events
        if (event.session, event.channel) == (channel.session, channel.channel)
    ]


async def test_a_request_and_its_answer_pass_and_are_recorded(house: House) -> None:
    body = b'{"session":  {"type":"realtime"}}'
    answer = await exchange(house, "POST", "/v1/echo?a=1&b=%20x", content=body)
    assert (answer.status_code, answer.content) == (200, body)
    assert answer.headers["x-answer"] == "yes"
    path, headers, seen = house.upstream.requests[-1]
    assert (path, seen) == ("/base/v1/echo?a=1&b=%20x", body)
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert headers["Host"] == house.upstream.url.removeprefix("http://")
    events = await recorded(house, "POST /v1/echo")
    assert [(event.sender, event.kind, event.body) for event in events[1:3]] == [
        ("client", "http.chunk", body),
        ("client", "http.chunk", b""),
    ]
    head = RequestHead.decode(events[0].body)
    assert (head.method, head.path, head.query) == ("POST", "/v1/echo", "a=1&b=%20x")
    assert KEY not in str(head.headers)
    assert ResponseHead.decode(events[3].body).status == 200
    assert [event.body for event in events[4:]] == [body, b""]


async def test_a_get_has_no_body(house: House) -> None:
    answer = await exchange(house, "GET", "/v1/echo")
    assert answer.content == b""
    events = await recorded(house, "GET /v1/echo")
    assert [event.kind for event in events][:2] == ["http.request", "http.response"]


async def test_a_stream_passes_piece_by_piece(house: House) -> None:
    house.upstream.release.clear()
    async with (
        httpx.AsyncClient(timeout=10) as client,
        client.stream("GET", house.base + "/v1/stream") as answer,
    ):
        pieces = answer.aiter_raw()
        assert await asyncio.wait_for(anext(pieces), 5) == SSE[0]
        house.upstream.release.set()
        rest = b"".join([piece async for piece in pieces])
    assert rest == b"".join(SSE[1:])
    events = await recorded(house, "GET /v1/stream")
    said = [event.body for event in events if event.sender == "provider"][1:]
    assert said[0] == SSE[0]
    assert b"".join(said) == b"".join(SSE)
    assert said[-1] == b""


async def test_a_compressed_body_passes_as_it_is_and_is_recorded_readable(house: House) -> None:
    headers = {"Accept-Encoding": "br, gzip;q=0.8, zstd"}
    answer = await exchange(house, "GET", "/v1/gzip", headers=headers)
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.content.startswith(b'{"squeezed":"x')
    assert house.upstream.requests[-1][1]["Accept-Encoding"] == "gzip;q=0.8"
    events = await recorded(house, "GET /v1/gzip")
    assert events[-2].body == answer.content


async def test_a_redirect_is_not_followed(house: House) -> None:
    answer = await exchange(house, "GET", "/v1/moved")
    assert answer.status_code == 307
    assert answer.headers["location"] == "https://elsewhere.example/x"


async def test_an_answer_that_breaks_off_breaks_off_for_the_client(house: House) -> None:
    with pytest.raises(httpx.HTTPError):
        await exchange(house, "GET", "/v1/broken")
    events = await recorded(house, "GET /v1/broken")
    assert events[-1].sender == "recorder"
    assert events[-1].type == "broken"
    assert any(event.body == b"half of it" for event in events)


@pytest.mark.parametrize("length", ["Content-Length: 100", "Transfer-Encoding: chunked"])
async def test_a_request_that_breaks_off_is_recorded_as_far_as_it_came(
    house: House, length: str
) -> None:
    asked = len(house.upstream.requests)
    address = urlsplit(house.base)
    _, writer = await asyncio.open_connection(address.hostname, address.port)
    half = b"half of it" if "Length" in length else b"a\r\nhalf of it\r\n"
    writer.write(f"POST /openai/v1/half HTTP/1.1\r\nHost: x\r\n{length}\r\n\r\n".encode() + half)
    await writer.drain()
    await asyncio.sleep(0.1)  # what came is read before the connection is found closed
    writer.close()
    while True:
        events = [event for event in await house.all_events() if event.type == "broken"]
        if events and b"the request broke off" in events[-1].body:
            break
        await asyncio.sleep(0.02)
    events = await recorded(house, "POST /v1/half")
    assert [(event.sender, event.kind) for event in events] == [
        ("client", "http.request"),
        ("client", "http.chunk"),
        ("recorder", "note"),
    ]
    assert events[1].body == b"half of it"
    assert len(house.upstream.requests) == asked


async def test_a_call_its_sideband_and_its_requests_are_one_session(house: House) -> None:
    from websockets.asyncio.client import connect

    call = "rtc_u0_000000000000000000abc"
    answer = await exchange(house, "POST", "/v1/realtime/calls", content=b"v=0\r\n")
    assert answer.status_code == 201
    url = f"ws{house.base.removeprefix('http')}/v1/realtime?call_id={call}"
    async with connect(url) as sideband:
        await sideband.send('{"type":"session.update"}')
        await sideband.recv()
    await exchange(house, "POST", f"/v1/realtime/calls/{call}/hangup")
    await house.writer.drained()
    rows = [row for row in house.store.sessions() if row.external_id == call]
    assert len(rows) == 1
    recording = Recording(house.store, rows[0].id)
    assert [channel.kind for channel in recording.channels()] == ["http", "ws", "http"]
    events = list(recording.events())
    assert header(ResponseHead.decode(events[3].body).headers, "location")


async def test_other_requests_share_the_control_session(house: House) -> None:
    await exchange(house, "GET", "/v1/echo")
    await exchange(house, "GET", "/v1/echo")
    asked = [e for e in await house.all_events() if e.type == "GET /v1/echo"]
    assert len({(event.session, event.channel) for event in asked}) > 1
    assert len({event.session for event in asked}) == 1


async def test_an_unknown_prefix_names_the_known_ones(house: House) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.get(house.base.removesuffix("/openai") + "/nobody/x")
    assert answer.status_code == 404
    assert "/openai/" in answer.text
