"""Whatever a client sends to the simulated Vapi, it answers and goes on."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from thoroughness import examples
from vapi_world import HOST, KEY, SERVER, World

from recorder.events import Message
from recorder.heads import RequestHead, ResponseHead
from replay.simulators.vapi import Options
from replay.simulators.vapi.shapes import ASSISTANT

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 10**6),
    st.floats(allow_nan=False),
    st.text(max_size=8),
)
_NAMES = (
    "assistant assistantId transport provider audioFormat sampleRate format queries table name "
    "operations operation column timeRange start step model tools toolIds type function messages "
    "server url firstMessage endCallPhrases stopSpeakingPlan numWords analysisPlan metadata "
    "content message control results toolCallId maxDurationSeconds customer role"
)
NAMES = st.sampled_from(_NAMES.split())
VALUES: Any = st.recursive(
    SCALARS | st.sampled_from(["vapi.websocket", "openai", "function", "call", "say", "mulaw"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
_PATHS = (
    "/assistant /assistant/x /call /call/x /call/x/mono-recording /analytics /tool /credential "
    "/storage/x /x/control / /call/ /phone-number"
)
PATHS = st.sampled_from(_PATHS.split())
METHODS = st.sampled_from(["GET", "POST", "PATCH", "DELETE", "PUT"])


@given(METHODS, PATHS, VALUES, st.text("limt=&createdAG0", max_size=12))
@settings(max_examples=examples(50), deadline=None)
def test_any_request_is_answered(method: str, path: str, body: Any, query: str) -> None:
    world = World(Options(history=2))
    answer = world.rest(method, f"{path}?{query}", body)
    assert 200 <= answer.status < 500
    if answer.status >= 400:
        assert answer.json["message"]
    world.wait(40)


@given(st.binary(max_size=60))
@settings(max_examples=30, deadline=None)
def test_any_bytes_are_answered(payload: bytes) -> None:
    world = World()
    head = RequestHead("POST", "/assistant", "", (KEY, HOST))
    world.sim.receive(Message(1, "http.request", head.encode(), payload), 0)
    (answer,) = world.sim.due(0)
    assert ResponseHead.decode(answer.body).status in (201, 400)


@given(st.dictionaries(NAMES, VALUES, max_size=5))
@settings(max_examples=examples(40), deadline=None)
def test_any_assistant_that_is_accepted_can_hold_a_call(assistant: dict[str, Any]) -> None:
    problems: list[str] = []
    ASSISTANT(assistant, "", "", problems)
    world = World(Options(transcripts=("Say the name.",)))
    body = {"assistant": assistant, "transport": {"provider": "vapi.websocket"}}
    made = world.rest("POST", "/call", body)
    assert made.status == (400 if problems else 201)
    if not problems:
        channel = world.open(f"/{made.json['id']}/transport")
        world.send(channel, "ws.binary", bytes(640))
        world.wait(45)
        shown = world.rest("GET", f"/call/{made.json['id']}").json
        assert shown["status"] in ("in-progress", "ended")


@given(st.lists(st.binary(max_size=700) | VALUES, max_size=8))
@settings(max_examples=examples(50), deadline=None)
def test_any_frame_is_survived(frames: list[Any]) -> None:
    world = World()
    call = world.create(assistant={"firstMessage": "Hello."})
    channel = world.open(f"/{call['id']}/transport")
    for frame in frames:
        if isinstance(frame, bytes):
            world.send(channel, "ws.binary", frame)
            world.send(channel, "ws.text", frame)
        else:
            world.send(channel, "ws.text", json.dumps(frame).encode())
        world.wait(0.15)
    assert channel not in world.closes
    world.wait(60)
    assert world.rest("GET", f"/call/{call['id']}").json["status"] == "ended"


@given(VALUES, st.integers(100, 599))
@settings(max_examples=examples(50), deadline=None)
def test_any_answer_of_the_server_is_survived(body: Any, status: int) -> None:
    world = World(Options(server={"url": SERVER}), lambda _: (status, body))
    call = world.create()
    channel = world.open(f"/{call['id']}/transport")
    world.send(channel, "ws.binary", bytes(640))
    world.wait(70)
    assert world.rest("GET", f"/call/{call['id']}").json["status"] == "ended"


RESULTS = st.lists(
    st.fixed_dictionaries({}, optional={"result": VALUES, "error": VALUES, "message": VALUES}),
    max_size=2,
)


@given(RESULTS, VALUES)
@settings(max_examples=examples(40), deadline=None)
def test_any_result_of_a_tool_is_survived(results: list[dict[str, Any]], metadata: Any) -> None:
    def server(message: dict[str, Any]) -> tuple[int, Any]:
        ids = [one["id"] for one in message.get("toolCallList", [])] * 2
        named = [
            {**one, "toolCallId": key, "metadata": metadata}
            for one, key in zip(results, ids, strict=False)
        ]
        return 200, {"results": named}

    world = World(Options(server={"url": SERVER}), server)
    model = {
        "provider": "openai",
        "tools": [{"type": "function", "function": {"name": "find_parcel"}}],
    }
    call = world.create(assistant={"firstMessage": "Hello.", "model": model})
    channel = world.open(f"/{call['id']}/transport")
    world.send(channel, "ws.binary", bytes(640))
    world.wait(3)
    message = {"role": "user", "content": "Where is my parcel?"}
    world.send(channel, "ws.text", json.dumps({"type": "add-message", "message": message}).encode())
    world.wait(10)
    world.send(channel, "ws.text", b'{"type":"end-call"}')
    world.wait(5)
    stored = world.rest("GET", f"/call/{call['id']}").json["messages"]
    found = [one["result"] for one in stored if one["role"] == "tool_call_result"]
    assert len(found) == 1
    assert isinstance(found[0], str)
