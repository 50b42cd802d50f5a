"""The beta dialect of the simulator: names, shapes and order."""

from __future__ import annotations

import numpy as np
import pytest
from openai_client import KEY, WEATHER, Client, noise, silence

from replay.simulators.openai import Options

MODEL = "model=gpt-4o-realtime-preview"


def beta_client(options: Options | None = None) -> Client:
    headers = (*KEY, ("OpenAI-Beta", "realtime=v1"))
    return Client(options, query=MODEL, headers=headers, beta=True)


def test_the_session_is_flat_and_merges() -> None:
    client = beta_client()
    session = client.events[0]["session"]
    assert session["modalities"] == ["audio", "text"]
    assert session["client_secret"] is None
    assert session["turn_detection"]["silence_duration_ms"] == 200
    got = client.send(
        "session.update",
        session={
            "voice": "ash",
            "input_audio_format": "g711_ulaw",
            "input_audio_transcription": {"model": "whisper-1"},
            "turn_detection": None,
            "temperature": 0.7,
            "max_response_output_tokens": 200,
        },
    )
    after = got[0]["session"]
    assert list(after) == list(session)
    assert (after["voice"], after["input_audio_format"]) == ("ash", "g711_ulaw")
    assert (after["turn_detection"], after["max_response_output_tokens"]) == (None, 200)
    client.send("session.update", session={"type": "realtime"})
    assert client.error()["param"] == "session.type"


def test_a_spoken_turn_in_beta_names_and_order() -> None:
    client = beta_client()
    client.hear(np.concatenate([silence(500), noise(800), silence(500)]))
    client.settle()
    types = client.types()
    collapsed = [t for i, t in enumerate(types) if i == 0 or types[i - 1] != t]
    assert collapsed[:6] == [
        "session.created",
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.created",
        "response.created",
    ]
    assert collapsed[6:10] == [
        "rate_limits.updated",
        "response.output_item.added",
        "conversation.item.created",
        "response.content_part.added",
    ]
    assert collapsed[-5:] == [
        "response.audio.done",
        "response.audio_transcript.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.done",
    ]
    response = client.of("response.done")[0]["response"]
    assert response["modalities"] == ["text", "audio"]
    assert response["output"][0]["object"] == "realtime.item"
    assert response["output"][0]["content"][0]["type"] == "audio"
    assert not [event for event in client.events if "obfuscation" in event]


def test_a_function_round_in_beta() -> None:
    client = beta_client()
    client.send("session.update", session={"modalities": ["text"], "tools": [WEATHER]})
    client.type_in("What is the weather in Oslo?")
    call = client.of("response.function_call_arguments.done")[0]
    assert "name" not in call
    item = {"type": "function_call_output", "call_id": call["call_id"], "output": "Snow."}
    client.send("conversation.item.create", item=item)
    client.send("response.create", response={"modalities": ["text"]})
    client.settle()
    assert "Snow." in client.of("response.text.done")[0]["text"]


def test_history_in_beta_content_types() -> None:
    client = beta_client()
    item = {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "Hi."}]}
    client.send("conversation.item.create", item=item)
    assert client.events[-1]["item"]["content"] == [{"type": "text", "text": "Hi."}]


@pytest.mark.parametrize(
    ("path", "query", "headers"),
    [
        (
            "/v1/realtime",
            MODEL,
            (*KEY, ("Sec-WebSocket-Protocol", "realtime, openai-beta.realtime-v1")),
        ),
        (
            "/openai/realtime",
            "api-version=2025-04-01-preview&deployment=gpt-4o-realtime-preview",
            (("api-key", "k"),),
        ),
    ],
)
def test_other_ways_to_ask_for_beta(
    path: str, query: str, headers: tuple[tuple[str, str], ...]
) -> None:
    client = Client(path=path, query=query, headers=headers, beta=True)
    session = client.events[0]["session"]
    assert (session["modalities"], session["model"]) == (
        ["audio", "text"],
        "gpt-4o-realtime-preview",
    )


def test_a_beta_transcription_session() -> None:
    headers = (*KEY, ("OpenAI-Beta", "realtime=v1"))
    client = Client(query="intent=transcription", headers=headers, beta=True)
    assert client.types() == ["transcription_session.created"]
    client.send(
        "transcription_session.update",
        session={"input_audio_transcription": {"model": "whisper-1"}},
    )
    assert client.events[-1]["type"] == "transcription_session.updated"
    assert client.events[-1]["session"]["input_audio_transcription"]["model"] == "whisper-1"
    client.hear(np.concatenate([silence(500), noise(800), silence(500)]))
    client.wait(1000)
    assert "conversation.item.input_audio_transcription.completed" in client.types()
