"""Sessions of the simulated GPT-Live: settings, sidebands, forks, HTTP, and what is refused."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from live_client import BACKEND, KEY, QUICK, WALL, WEATHER, Client, noise, silence

from recorder.audio import pcm
from recorder.heads import LOST
from replay.simulators import SIMULATORS
from replay.simulators.openai_live import LiveSimulator, Options

OFFER = "\r\n".join(
    ("v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0", "m=audio 9 UDP/TLS/RTP/SAVPF 111",
     "a=mid:0", "a=rtpmap:111 opus/48000/2", "")
)  # fmt: skip


def session_id(client: Client) -> str:
    return str(client.of("session.started")[0]["session"]["id"])


def attach(client: Client, *, graceful: bool = True) -> Client:
    path = f"/v1/live/sessions/{session_id(client)}/attach"
    return Client(path=path, query="graceful_close=true" if graceful else "", other=client)


def test_it_is_one_of_the_simulators() -> None:
    assert SIMULATORS["openai-live"] is LiveSimulator


def test_the_session_is_echoed_with_defaults() -> None:
    client = Client().start(instructions="Be kind.", delegation=BACKEND, store=True)
    [started] = client.events
    session = started["session"]
    assert next(iter(started)) == "event_id"
    assert started["client_event_id"] == "e1"
    assert session["id"].startswith("live_u0_")
    assert len(session["id"]) == len("live_u0_") + 32
    assert session["expires_at"] == WALL // 1_000_000_000 + 7200
    assert session["status"] == "active"
    assert session["audio"]["output"]["voice"] == "marin"
    assert session["audio"]["format"] == {"type": "audio/pcm", "rate": 24000}
    assert session["input"] == []
    responses = session["delegation"]["responses"]
    assert (responses["tools"], responses["tool_choice"]) == ([WEATHER], "auto")


def test_only_work_can_be_updated() -> None:
    client = Client().start(delegation=BACKEND)
    told = {"type": "responses", "responses": {"tool_choice": "none"}}
    client.send("session.update", event_id="u", session={"delegation": told})
    updated = client.events[-1]
    assert updated["client_event_id"] == "u"
    assert updated["session"]["delegation"]["responses"]["tool_choice"] == "none"
    assert updated["session"]["delegation"]["responses"]["tools"] == [WEATHER]
    client.send("session.update", event_id="v", session={"delegation": {"type": "client"}})
    assert client.error()["code"] == "immutable_field_update"
    assert client.error()["param"] == "session.delegation.type"
    client.send("session.update", event_id="w", session={"instructions": "x"})
    assert client.error()["code"] == "unknown_parameter"


@pytest.mark.parametrize(
    ("session", "code"),
    [
        ({}, "missing_required_parameter"),
        ({"model": "gpt-live-1", "colour": 1}, "unknown_parameter"),
        ({"model": "gpt-live-1", "delegation": {"type": "decisions"}}, "invalid_value"),
        ({"model": "m", "audio": {"format": {"type": "audio/opus"}}}, "invalid_value"),
        ({"model": "m", "audio": {"format": {"type": "audio/pcm", "rate": 44100}}}, None),
        ({"model": "m", "delegation": {"type": "responses", "responses": {}}}, None),
    ],
)
def test_a_start_that_cannot_be(session: dict[str, Any], code: str | None) -> None:
    client = Client()
    client.send("session.start", event_id="e", session=session)
    assert client.error()["client_event_id"] == "e"
    assert client.error()["code"] in (code, client.error()["code"] if code is None else code)
    client.start()
    assert client.types()[-1] == "session.started"


def test_nothing_comes_before_the_start() -> None:
    client = Client()
    client.send("response.create", event_id="e")
    assert client.error()["code"] == "session_not_started"
    client.send("session.start", session={"model": "gpt-live-1"})
    client.append(pcm.to_bytes(silence(20)))
    assert client.error()["code"] == "session_not_started"
    client.wait(400)
    client.send("session.start", session={"model": "gpt-live-1"})
    assert client.error()["code"] == "session_already_started"


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ({"type": "session.input_audio.append", "audio": "AAA="}, None),
        ({"type": "session.input_audio.append", "audio": "AA=="}, "invalid_audio"),
        ({"type": "session.input_audio.append", "audio": "?"}, "invalid_audio"),
        ({"type": "session.colour"}, "invalid_event"),
        ({"type": "response.create"}, "invalid_event"),
        ({"type": "transport.dtmf.send", "event": "1"}, "invalid_event"),
        ({"type": "session.thinking.append", "content": "x"}, "missing_required_parameter"),
        (
            {"type": "session.thinking.append", "content": "no " * 501, "delegation_id": None},
            "string_above_max_length",
        ),
    ],
)
def test_what_is_refused(event: dict[str, Any], code: str | None) -> None:
    client = Client().start()
    client.send(**{"type_": event.pop("type"), **event})
    if code is None:
        assert client.types() == ["session.started"]
    else:
        assert client.error()["code"] == code


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"no":"type"}', b'{"type":1}'])
def test_a_frame_that_is_no_event(body: bytes) -> None:
    client = Client().start()
    client._give("ws.text", body)
    assert client.error()["code"] == "invalid_event"
    client._give("ws.binary", body)
    assert client.error()["code"] == "invalid_event"


def test_a_sideband_hears_both_sides() -> None:
    client = Client(Options(replies=("Hello.",), **QUICK)).start(
        audio={"format": {"type": "audio/pcm", "rate": 16000}}
    )
    beside = attach(client)
    assert beside.types() == ["session.started"]
    client.hear(noise(800, 16_000), 20, 16_000)
    client.hear(silence(2500, 16_000), 20, 16_000)
    inputs = [base64.b64decode(each["audio"]) for each in beside.of("session.input_audio.append")]
    assert {len(each) for each in inputs} == {960}  # 20 ms at 24 kHz
    assert len(inputs) == 165
    outputs = beside.of("session.output_audio.delta")
    assert {each["end_ms"] - each["start_ms"] for each in outputs} == {200}
    starts = [each["start_ms"] for each in outputs]
    assert starts == list(range(starts[0], starts[0] + 200 * len(starts), 200))
    assert any(any(base64.b64decode(each["delta"])) for each in outputs)
    mine = {each["event_id"]: each for each in client.events if "event_id" in each}
    theirs = {each["event_id"]: each for each in beside.events if "event_id" in each}
    assert {name: theirs[name] for name in list(theirs)[1:]}.items() <= mine.items()
    assert beside.said() == client.said() == "Hello."


def test_a_sideband_steers_and_ends_the_session() -> None:
    client = Client(Options(**QUICK)).start()
    beside = attach(client)
    beside.append(pcm.to_bytes(silence(20)))
    assert beside.error()["code"] == "invalid_event"
    beside.send("session.commentary.append", event_id="c", content="Hi.", delegation_id=None)
    client.quiet(1500)
    assert client.said() == "Hi."
    beside.send("session.close")
    client.wait(1000)
    assert client.types()[-1] == beside.types()[-1] == "session.closed"
    assert beside.close is not None
    assert beside.close.code == 1000


def test_a_sideband_that_comes_again_is_told_what_it_knows() -> None:
    client = Client(Options(**QUICK)).start()
    beside = attach(client, graceful=False)
    client.turn(800, 2000)
    beside.leave()
    client.quiet(500)
    again = attach(client)
    repeated = {each["event_id"] for each in again.events} & {
        each["event_id"] for each in beside.events if "event_id" in each
    }
    assert repeated
    assert len(client.of("session.started")) == 1  # the session goes on


def test_without_the_primary_connection_a_session_ends() -> None:
    client = Client().start()
    beside = attach(client, graceful=False)
    client.leave()
    assert beside.events[-1]["reason"] == "connection_lost"
    assert beside.close is not None
    assert beside.close.code == LOST
    late = Client(path=f"/v1/live/sessions/{session_id(client)}/attach", other=client)
    assert late.answer is not None
    assert late.answer.status == 404


def test_a_stored_session_is_forked_when_it_is_over() -> None:
    client = Client().start(store=True, instructions="Be kind.", delegation=BACKEND)
    path = f"/v1/live/sessions/{session_id(client)}/fork"
    early = Client(path=path, other=client)
    assert early.answer is not None
    assert early.answer.status == 404
    client.send("session.close")
    client.wait(1000)
    fork = Client(path=path, other=client)
    fork.send("session.start", session={})
    fork.wait(400)
    session = fork.of("session.started")[0]["session"]
    assert session["id"] != session_id(client)
    assert session["instructions"] == "Be kind."
    assert session["delegation"] == client.events[0]["session"]["delegation"]
    assert session["input"] == []


def test_a_call_by_webrtc() -> None:
    client = Client(Options(**QUICK))
    wish = {"session": {"model": "gpt-live-1", "delegation": BACKEND}}
    status, made = client.post(
        "/v1/live/sessions", {**wish, "transport": {"type": "webrtc", "sdp": OFFER}}
    )
    assert status == 201
    assert made["transport"]["sdp"].startswith("v=0")
    name = made["session"]["id"]
    beside = Client(path=f"/v1/live/sessions/{name}/attach", other=client)
    assert "format" not in beside.events[0]["session"]["audio"]
    beside.send("session.commentary.append", content="Hello.", delegation_id=None)
    beside.wait(3000)
    assert beside.said() == "Hello."
    assert any(any(frame) for frame in beside.frames())
    assert client.post(f"/v1/live/sessions/{name}/hangup")[0] == 200
    assert beside.types()[-1] == "session.closed"
    status, told = client.post(f"/v1/live/sessions/{name}/hangup")
    assert (status, told["error"]["code"]) == (404, "session_id_not_found")


def test_a_telephone_call() -> None:
    client, name = Client(), "live_u0_ringing"
    assert client.post(f"/v1/live/sessions/{name}/reject", {"status_code": 486})[0] == 200
    wish = {"session": {"type": "live", "model": "gpt-live-1"}}
    assert client.post(f"/v1/live/sessions/{name}/accept", wish)[0] == 200
    status, told = client.post(f"/v1/live/sessions/{name}/accept", wish)
    assert (status, told["error"]["code"]) == (400, "decision_already_made")
    beside = Client(path=f"/v1/live/sessions/{name}/attach", other=client)
    beside.send("transport.dtmf.send", event_id="k", event="5")
    assert beside.events[-1]["event"] == "5"
    assert beside.events[-1]["client_event_id"] == "k"
    target = {"target_uri": "tel:+15550100"}
    assert client.post(f"/v1/live/sessions/{name}/refer", target)[0] == 200


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/v1/live/sessions", (), 401),
        ("/v1/realtime", KEY, 404),
        ("/v1/live/sessions/live_none/attach", KEY, 404),
        ("/openai/v1/live/sessions", KEY, 101),
        ("/openai/v1/live", KEY, 101),
    ],
)
def test_upgrades(path: str, headers: Any, status: int) -> None:
    client = Client(path=path, headers=headers)
    assert client.answer is not None
    assert client.answer.status == status
    assert ("x-simulator-seed", "7") in client.answer.headers
