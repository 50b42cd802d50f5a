"""Whatever a client sends, the simulator answers with events of the protocol and goes on."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from openai_client import KEY, WEATHER, Client
from thoroughness import examples

from recorder.events import Message
from recorder.heads import RequestHead, ResponseHead
from replay.simulators.openai.shapes import EVENTS

SAMPLES: list[dict[str, Any]] = [
    {
        "type": "session.update",
        "session": {
            "type": "realtime",
            "tools": [WEATHER],
            "tool_choice": "required",
            "output_modalities": ["text"],
            "audio": {
                "input": {
                    "format": {"type": "audio/pcm", "rate": 24000},
                    "turn_detection": {"type": "server_vad", "threshold": 0.5},
                    "transcription": {"model": "whisper-1"},
                },
                "output": {"voice": "ash", "speed": 1.0},
            },
        },
    },
    {
        "type": "conversation.item.create",
        "item": {
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": "weather"}],
        },
    },
    {"type": "input_audio_buffer.append", "audio": "AAAAAA=="},
    {"type": "response.create", "response": {"metadata": {"a": "b"}, "input": []}},
    {"type": "conversation.item.truncate", "item_id": "x", "content_index": 0, "audio_end_ms": 1},
]
BETA_SAMPLES: list[dict[str, Any]] = [
    {"type": "session.update", "session": {"modalities": ["text"], "input_audio_format": "pcm16"}},
    {"type": "response.create", "response": {"modalities": ["text"], "voice": "ash"}},
    {
        "type": "conversation.item.create",
        "item": {"type": "message", "role": "assistant", "content": [{"type": "text", "text": ""}]},
    },
]
JUNK = st.one_of(
    st.integers(-(2**40), 2**40),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=4),
    st.sampled_from(
        ["null", "true", "[]", "{}", '[{"type": []}]', '{"type": {}}', r'"\ud800"', "1e308"]
    ).map(json.loads),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all values inside."""
    steps = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, inner in steps:
        found.append((*path, key))
        if isinstance(inner, dict | list):
            found += places(inner, (*path, key))
    return found


@st.composite
def spoilt(draw: st.DrawFn, samples: list[dict[str, Any]]) -> str:
    """A sample in which one or two values are replaced."""
    event = json.loads(json.dumps(draw(st.sampled_from(samples))))
    for _ in range(draw(st.integers(1, 2))):
        *path, last = draw(st.sampled_from(places(event)))
        inner = event
        for step in path:
            inner = inner[step]
        inner[last] = draw(JUNK)
    return json.dumps(event)


@settings(max_examples=examples(150), deadline=None)
@given(st.lists(spoilt(SAMPLES), min_size=1, max_size=4))
def test_spoilt_events(texts: list[str]) -> None:
    client = Client()
    for text in texts:
        client.send_text(text)
    client.settle()
    assert client.send("session.update", session={"type": "realtime"})
    assert client.close is None


@settings(max_examples=examples(80), deadline=None)
@given(st.lists(spoilt(BETA_SAMPLES), min_size=1, max_size=3))
def test_spoilt_beta_events(texts: list[str]) -> None:
    headers = (*KEY, ("OpenAI-Beta", "realtime=v1"))
    client = Client(query="model=gpt-4o-realtime-preview", headers=headers, beta=True)
    for text in texts:
        client.send_text(text)
    client.settle()
    assert client.close is None


@settings(max_examples=examples(60), deadline=None)
@given(
    st.sampled_from([*EVENTS, "nothing"]),
    st.dictionaries(st.sampled_from(["item", "item_id", "session", "response", "audio"]), JUNK),
)
def test_events_of_junk(type_: str, fields: dict[str, Any]) -> None:
    client = Client()
    client.send(type_, **fields)
    client.wait(1000)
    assert client.close is None


@settings(max_examples=examples(60), deadline=None)
@given(
    st.sampled_from(["client_secrets", "sessions", "calls", "calls/rtc_1/accept", "calls/x/refer"]),
    st.one_of(st.binary(max_size=30), JUNK.map(lambda value: json.dumps(value).encode())),
    st.sampled_from(["application/json", "multipart/form-data; boundary=x", "multipart/form-data"]),
)
def test_requests_of_junk(path: str, payload: bytes, kind: str) -> None:
    client = Client()
    head = RequestHead("POST", f"/v1/realtime/{path}", "", (*KEY, ("content-type", kind)))
    client.sim.receive(Message(9, "http.request", head.encode(), payload), 0)
    (answer,) = client.sim.due(0)
    assert ResponseHead.decode(answer.body).status in (200, 400, 404)


def test_deep_nesting_and_constants_are_not_json() -> None:
    client = Client()
    client.send_text("[" * 100_000)
    assert client.error()["code"] == "invalid_event"
    client.send_text('{"type": "response.cancel", "x": NaN}')
    assert client.error()["code"] == "invalid_event"
    schema: Any = {}
    for _ in range(40):
        schema = {"items": schema}
    client.update(tools=[{"type": "function", "name": "f", "parameters": schema}])
    assert client.error()["code"] == "invalid_function_parameters"
