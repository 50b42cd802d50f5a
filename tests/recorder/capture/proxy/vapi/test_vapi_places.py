"""Where deliveries of a call go: before its answer, twice, late, unknown, mixed with others."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from recorder.capture.proxy import tapes
from recorder.events import Event
from recorder.recording import Recording
from tests.recorder.capture.proxy.vapi.conftest import House, open_house
from tests.recorder.capture.proxy.vapi.test_vapi_webhooks import deliver, message, settled

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def make(house: House) -> str:
    async with httpx.AsyncClient() as client:
        answer = await client.post(house.rest + "/call", json={"assistantId": "a"})
    return str(answer.json()["id"])


def story(events: list[Event]) -> list[str]:
    """Requests and deliveries in order, and the answers to requests."""
    told = ("http.request", "http.response", "webhook.request")
    return [event.type for event in events if event.kind in told]


def in_order(events: list[Event]) -> bool:
    return [event.at_ns for event in events] == sorted(event.at_ns for event in events)


async def test_before_the_answer_that_names_the_call(house: House) -> None:
    house.vapi.answer.clear()
    house.vapi.next_id = call = str(uuid4())
    making = asyncio.create_task(make(house))
    await asyncio.sleep(0.1)
    answer = await asyncio.wait_for(deliver(house, message("status-update", call)), 5)
    assert answer.content == house.team.reply  # not held back by the recording
    assert await house.rows(call) == []
    house.vapi.answer.set()
    house.vapi.next_id = None
    assert await making == call
    events = await settled(house, call, 1)
    assert story(events) == ["POST /call", "status-update", "201"]
    assert in_order(events)
    assert len({event.channel for event in events}) == 2


async def test_while_another_call_is_made_and_fails(house: House) -> None:
    call = str(uuid4())
    house.vapi.answer.clear()
    making = asyncio.create_task(make(house))
    await asyncio.sleep(0.05)
    await deliver(house, message("assistant-request", call))
    house.vapi.answer.set()
    other = await making
    events = await settled(house, call, 1)
    assert story(events) == ["assistant-request"]
    assert in_order(events)
    assert story(await house.tape(other)) == ["POST /call", "201"]


async def test_the_wait_for_a_name_ends(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tapes, "_WAIT_S", 0.2)
    call = str(uuid4())
    house.vapi.answer.clear()
    house.vapi.next_id = call
    making = asyncio.create_task(make(house))
    await asyncio.sleep(0.05)
    await deliver(house, message("status-update", call))
    early = await settled(house, call, 1)
    assert story(early) == ["status-update"]
    assert early[0].at_ns >= 0
    house.vapi.answer.set()
    house.vapi.next_id = None
    await making
    await deliver(house, message("hang", call))
    rows = await house.rows(call)
    assert len(rows) == 2
    assert all(row.external_id == call for row in rows)


async def test_twice_is_recorded_twice(house: House) -> None:
    call = await make(house)
    for _ in range(2):
        await deliver(house, message("end-of-call-report", call))
    events = await settled(house, call, 2)
    assert story(events)[-2:] == ["end-of-call-report", "end-of-call-report"]


async def test_after_the_end_the_tape_is_taken_up_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tapes, "_LINGER_S", 0.05)
    call = await make(house)
    for _ in range(100):
        if (await house.rows(call))[0].status == "complete":
            break
        await asyncio.sleep(0.02)
    assert (await house.rows(call))[0].status == "complete"
    await deliver(house, message("end-of-call-report", call))
    events = await settled(house, call, 1)
    assert story(events) == ["POST /call", "201", "end-of-call-report"]
    assert in_order(events)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))


async def test_what_comes_late_is_not_about_a_replay(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tapes, "_LINGER_S", 0.05)
    call = await make(house)
    for _ in range(100):
        if (await house.rows(call))[0].status == "complete":
            break
        await asyncio.sleep(0.02)
    (original,) = await house.rows(call)
    copy = house.writer.open("vapi", "t", external_id=call, parent=original.id, origin="replay")
    copy.end()
    await house.writer.drained()
    await deliver(house, message("end-of-call-report", call))
    await house.writer.drained()
    for _ in range(100):
        events = list(Recording(house.store, original.id).events())
        if "end-of-call-report" in story(events):
            break
        await asyncio.sleep(0.02)
    assert "end-of-call-report" in story(events)
    assert house.store.count(copy.session) == 0


async def test_an_unknown_call_gets_a_tape_of_its_own(house: House) -> None:
    call = str(uuid4())
    await deliver(house, message("assistant-request", call))
    async with httpx.AsyncClient() as client:
        await client.get(f"{house.rest}/call/{call}")
    events = await settled(house, call, 1)
    assert story(events) == ["assistant-request", "GET /call/{id}", "200"]


async def test_two_calls_at_once_give_two_clean_tapes(house: House) -> None:
    first, second = await asyncio.gather(make(house), make(house))
    types = [f"type-{number}" for number in range(10)]
    for type_ in types:
        await asyncio.gather(*(deliver(house, message(type_, c)) for c in (first, second)))
    for call in (first, second):
        events = await settled(house, call, len(types))
        assert story(events) == ["POST /call", "201", *types]
        bodies = b"".join(event.body for event in events)
        assert (first.encode() in bodies, second.encode() in bodies) == (
            call == first,
            call == second,
        )


async def test_deliveries_at_once_of_an_unknown_call_stay_in_order(house: House) -> None:
    call = str(uuid4())
    types = [f"type-{number}" for number in range(8)]
    await asyncio.gather(*(deliver(house, message(type_, call)) for type_ in types))
    events = await settled(house, call, len(types))
    assert sorted(story(events)) == types
    assert in_order(events)


async def test_an_answer_that_takes_its_time_holds_nothing_else_back(house: House) -> None:
    call = await make(house)
    house.vapi.answer.clear()
    async with httpx.AsyncClient() as client:
        asking = asyncio.create_task(client.get(f"{house.rest}/call/{call}?drip=1"))
        await asyncio.sleep(0.1)
        await deliver(house, message("transcript", call))
        house.vapi.answer.set()
        assert (await asking).json() == {"id": call}
    events = await settled(house, call, 1)
    assert story(events) == ["POST /call", "201", "GET /call/{id}", "200", "transcript"]
    assert in_order(events)


@pytest.mark.parametrize("seed", range(4))
async def test_in_any_order_and_twice_all_of_a_call_is_on_one_tape(house: House, seed: int) -> None:
    chance = random.Random(seed)
    call = str(uuid4())
    types = ["status-update", "tool-calls", "end-of-call-report", "hang"] * 2
    chance.shuffle(types)
    before = chance.randint(0, len(types))
    house.vapi.answer.clear()
    house.vapi.next_id = call
    making = asyncio.create_task(make(house))
    await asyncio.sleep(0.1)
    await asyncio.gather(*(deliver(house, message(each, call)) for each in types[:before]))
    house.vapi.answer.set()
    house.vapi.next_id = None
    await asyncio.gather(making, *(deliver(house, message(each, call)) for each in types[before:]))
    events = await settled(house, call, len(types))
    told = [event.type for event in events if event.kind == "webhook.request"]
    assert sorted(told) == sorted(types)
    assert sorted(told[:before]) == sorted(types[:before])
    assert in_order(events)
    bodies = {message(each, call) for each in types}
    assert bodies <= {event.body for event in events}


async def test_what_waits_when_the_proxy_stops_is_recorded(tmp_path: Path) -> None:
    call = str(uuid4())
    path = tmp_path / "stop.db"
    async with open_house(path, webhook_to="/hooks") as house:
        house.vapi.answer.clear()
        making = asyncio.create_task(make(house))
        await asyncio.sleep(0.05)
        await deliver(house, message("status-update", call))
        house.proxy.tapes.stop()
        events = await settled(house, call, 1)
        assert story(events) == ["status-update"]
        house.vapi.answer.set()
        await making
