"""REST of Vapi through the proxy, and the URLs in its answers."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from recorder.events import Event
from recorder.heads import RequestHead, ResponseHead, header
from recorder.recording import Recording
from tests.recorder.capture.proxy.vapi.conftest import House, open_house

pytestmark = pytest.mark.asyncio(loop_scope="module")
KEY = "5f0c1f6e-0c8b-4a57-9d57-aaaaaaaaaaaa"
AUTH = {"Authorization": f"Bearer {KEY}"}


async def make(house: House, **body: object) -> tuple[str, httpx.Response]:
    async with httpx.AsyncClient(headers=AUTH) as client:
        answer = await client.post(house.rest + "/call", json={"assistantId": "a", **body})
    return answer.json()["id"], answer


def notes(events: list[Event], what: str) -> list[dict[str, object]]:
    return [json.loads(event.body) for event in events if event.type == what]


async def test_a_call_is_named_by_the_answer_and_its_urls_lead_back_here(house: House) -> None:
    call, answer = await make(house)
    assert answer.status_code == 201
    told = answer.json()
    here = house.base.removeprefix("http://")
    there = house.vapi.host
    assert (
        told["transport"]["websocketCallUrl"] == f"ws://{here}/vapi/-/ws/{there}/{call}/transport"
    )
    assert told["monitor"]["listenUrl"] == f"ws://{here}/vapi/-/ws/{there}/{call}/listen"
    assert told["monitor"]["controlUrl"] == f"http://{here}/vapi/-/http/{there}/{call}/control"
    came = json.dumps(house.vapi.call(call), indent=1).replace('": ', '" :  ')
    left = came.replace(f"ws://{there}", f"ws://{here}/vapi/-/ws/{there}").replace(
        f"http://{there}", f"http://{here}/vapi/-/http/{there}"
    )
    assert answer.text == left
    rows = await house.rows(call)
    assert (rows[0].external_id, rows[0].model, rows[0].provider) == (call, "gpt-4.1", "vapi")


async def test_the_tape_has_the_body_as_it_came_and_what_was_put_in_place(house: House) -> None:
    call, _ = await make(house)
    events = await house.tape(call)
    assert [event.type for event in events if event.kind == "http.request"] == ["POST /call"]
    body = next(e for e in events if e.sender == "provider" and e.kind == "http.chunk" and e.body)
    told = json.loads(body.body)
    (note,) = notes(events, "rewritten")
    replaced = note["replaced"]
    assert isinstance(replaced, list)
    assert [entry["place"] for entry in replaced] == ["$.transport", "$.monitor", "$.monitor"]
    for entry in replaced:
        (name,) = set(entry) - {"place"}
        came = told[entry["place"].removeprefix("$.")][name]
        assert entry[name]["came"] == came
        assert entry[name]["left"] != came
        assert came.startswith("[redacted:")


async def test_each_call_of_a_list_is_rewritten(house: House) -> None:
    async with httpx.AsyncClient(headers=AUTH) as client:
        calls = (await client.get(house.rest + "/call?limit=2")).json()
    assert len(calls) == 2
    assert all("/vapi/-/ws/" in call["transport"]["websocketCallUrl"] for call in calls)
    assert all("/vapi/-/http/" in call["monitor"]["controlUrl"] for call in calls)


async def test_a_compressed_answer_is_rewritten_too(house: House) -> None:
    house.vapi.compress = True
    try:
        call, answer = await make(house)
    finally:
        house.vapi.compress = False
    assert "content-encoding" not in answer.headers
    assert "/vapi/-/ws/" in answer.json()["transport"]["websocketCallUrl"]
    assert await house.rows(call)


async def test_the_sockets_control_and_later_requests_are_on_the_tape_of_the_call(
    house: House,
) -> None:
    call, answer = await make(house)
    told = answer.json()
    async with connect(told["transport"]["websocketCallUrl"]) as socket:
        await socket.recv()
        async with connect(told["monitor"]["listenUrl"]) as listening:
            await listening.recv()
        async with httpx.AsyncClient() as client:
            url = told["monitor"]["controlUrl"]
            assert (await client.post(url, json={"type": "end-call"})).status_code == 200
    async with httpx.AsyncClient(headers=AUTH, follow_redirects=False) as client:
        await client.get(f"{house.rest}/call/{call}")
        moved = await client.get(f"{house.rest}/call/{call}/mono-recording")
    assert moved.headers["location"].endswith("canary-signature-31337")
    events = await house.tape(call)
    opened = [e.type for e in events if e.kind in ("http.request", "ws.open") and " " in e.type]
    assert opened == [
        "POST /call",
        "GET /{id}/transport",
        "GET /{id}/listen",
        "POST /{id}/control",
        "GET /call/{id}",
        "GET /call/{id}/mono-recording",
    ]
    assert [event.at_ns for event in events] == sorted(event.at_ns for event in events)
    head = next(e for e in events if e.type == "GET /{id}/transport")
    assert RequestHead.decode(head.body).path == f"/{call}/transport"


async def test_rest_that_belongs_to_no_call_is_in_the_control_session(house: House) -> None:
    body = b'{"name" : "Ann",  "firstMessage": "Hi."}'
    async with httpx.AsyncClient(headers=AUTH) as client:
        headers = {"Content-Type": "application/json"}
        answer = await client.post(house.rest + "/assistant", content=body, headers=headers)
        await client.post(house.rest + "/analytics", json={"queries": []})
    assert answer.content == body
    assert house.vapi.bodies[-2] == ("POST /assistant", body)
    events = [
        e for e in await house.all_events() if e.type in ("POST /assistant", "POST /analytics")
    ]
    assert len({event.session for event in events}) == 1
    row = house.store.session(events[0].session)
    assert row
    assert (row.external_id, row.status) == (None, "recording")


async def test_a_failed_attempt_and_its_retry_are_exchanges_of_their_own(house: House) -> None:
    house.vapi.fail.append(503)
    async with httpx.AsyncClient(headers=AUTH) as client:
        failed = await client.post(house.rest + "/call", json={"assistantId": "a"})
    call, _ = await make(house)
    assert (failed.status_code, failed.json()["statusCode"]) == (503, 503)
    assert len(await house.tape(call)) > 4
    alone = [
        row
        for row in house.store.sessions()
        if any(e.type == "503" for e in Recording(house.store, row.id).events())
    ]
    assert [(row.external_id, row.status) for row in alone] == [(None, "complete")]


async def test_a_client_that_gives_up_is_on_the_tape(house: House) -> None:
    house.vapi.answer.clear()
    async with httpx.AsyncClient(timeout=0.2) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.post(house.rest + "/call", json={"assistantId": "patience"})
    await asyncio.sleep(0.05)
    house.vapi.answer.set()
    for _ in range(50):
        broken = [e for e in await house.all_events() if e.type == "broken"]
        if broken:
            break
        await asyncio.sleep(0.05)
    assert "had gone" in json.loads(broken[-1].body)["message"]


@pytest.mark.parametrize(
    "address",
    [
        "https/example.com/x",
        "wss/api.vapi.ai.example.com/x",
        "wss/evilvapi.ai/x",
        "http/127.0.0.1:1/x",
        "http/169.254.169.254/latest",
        "ftp/x.vapi.ai/x",
        "https/user@x.vapi.ai/x",
        "https/x.vapi.ai%2F..%2Fexample.com/x",
        "",
    ],
)
async def test_no_other_host_is_relayed_to(house: House, address: str) -> None:
    seen = len(house.vapi.headers)
    async with httpx.AsyncClient() as client:
        request = client.build_request("GET", f"{house.rest}/-/{address}")
        request.url = request.url.copy_with(raw_path=f"/vapi/-/{address}".encode())
        answer = await client.send(request)
    assert answer.status_code == 403
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"ws{house.rest.removeprefix('http')}/-/{address}").__aenter__()
    assert refused.value.response.status_code == 403
    assert len(house.vapi.headers) == seen


async def test_without_rewriting_the_answer_stays_as_it_is(tmp_path: Path) -> None:
    async with open_house(tmp_path / "plain.db", rewrite=False) as house:
        call, answer = await make(house)
        assert answer.json() == house.vapi.call(call)
        assert not notes(await house.tape(call), "rewritten")


async def test_a_public_url_stands_in_the_answers(tmp_path: Path) -> None:
    public = "https://recorder.example/deep"
    async with open_house(tmp_path / "public.db", public_url=public) as house:
        _, answer = await make(house)
        told = answer.json()
        assert told["transport"]["websocketCallUrl"].startswith(
            f"wss://recorder.example/deep/vapi/-/ws/{house.vapi.host}/"
        )
        assert told["monitor"]["controlUrl"].startswith(f"{public}/vapi/-/http/")


async def test_the_webhook_address_is_put_into_what_passes_and_told(tmp_path: Path) -> None:
    async with open_house(tmp_path / "address.db", set_server_url=True) as house:
        url = house.hook
        call, _ = await make(house, assistantOverrides={"server": {"url": "https://mine/x"}})
        sent = json.loads(house.vapi.bodies[-1][1])
        assert sent["assistantOverrides"] == {"server": {"url": url}}
        (note,) = notes(await house.tape(call), "server_url")
        assert note == {
            "place": "$.assistantOverrides.server.url",
            "was": "https://mine/x",
            "url": url,
        }
        async with httpx.AsyncClient() as client:
            await client.post(house.rest + "/assistant", json={"name": "Ann"})
            assert json.loads(house.vapi.bodies[-1][1]) == {"name": "Ann", "server": {"url": url}}
            await client.patch(f"{house.rest}/assistant/{call}", json={"name": "Bea"})
            assert json.loads(house.vapi.bodies[-1][1]) == {"name": "Bea"}


async def test_an_unreachable_upstream_is_told_in_the_words_of_vapi(tmp_path: Path) -> None:
    async with open_house(tmp_path / "down.db", upstream="http://127.0.0.1:9") as house:
        async with httpx.AsyncClient() as client:
            answer = await client.get(house.rest + "/assistant")
        assert answer.status_code == 502
        assert answer.json()["statusCode"] == 502
        events = await house.all_events()
        assert events[-1].type == "unreachable"
        head = next(e for e in events if e.kind == "http.request")
        assert header(RequestHead.decode(head.body).headers, "host")
        assert not [e for e in events if e.kind == "http.response" and ResponseHead.decode(e.body)]
