"""Whole turns with the simulator: typed, spoken, manual, out of band."""

from __future__ import annotations

import base64

import numpy as np
import pytest
from openai_client import Client, noise, silence

from replay.simulators.openai import Options

SPOKEN = np.concatenate([silence(1000), noise(1500), silence(900)])


def collapse(types: list[str]) -> list[str]:
    """Runs of one type as one."""
    return [type_ for i, type_ in enumerate(types) if i == 0 or types[i - 1] != type_]


def test_session_created_comes_first_and_unasked() -> None:
    client = Client()
    assert client.types() == ["session.created"]
    session = client.events[0]["session"]
    assert session["type"] == "realtime"
    assert session["audio"]["output"] == {
        "format": {"type": "audio/pcm", "rate": 24000},
        "voice": "alloy",
        "speed": 1.0,
    }
    assert session["expires_at"] == 1_790_000_000 + 3600


def test_a_typed_turn_with_text_out() -> None:
    client = Client()
    client.update(output_modalities=["text"])
    client.type_in("Tell me something.")
    assert collapse(client.types()) == [
        "session.created",
        "session.updated",
        "conversation.item.added",
        "conversation.item.done",
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
        "rate_limits.updated",
    ]
    response = client.of("response.done")[0]["response"]
    assert response["status"] == "completed"
    assert response["audio"]["output"]["voice"] == "alloy"
    assert "Tell me something." in response["output"][0]["content"][0]["text"]
    client.check()


def test_a_typed_turn_with_audio_out_leads_with_words_and_bursts() -> None:
    client = Client()
    client.type_in("Hello there, how are you?")
    deltas = [event["type"] for event in client.events if event["type"].endswith(".delta")]
    first = deltas.index("response.output_audio.delta")
    assert deltas[:first] == ["response.output_audio_transcript.delta"] * 3
    assert deltas[-3:] == ["response.output_audio.delta"] * 3
    client.check()
    audio = b"".join(base64.b64decode(e["delta"]) for e in client.of("response.output_audio.delta"))
    usage = client.of("response.done")[0]["response"]["usage"]["output_token_details"]
    assert usage["audio_tokens"] == -(-len(audio) // 48 // 50)
    began, ended = (
        client.times[client.types().index(f"response.{end}")] for end in ("created", "done")
    )
    assert (ended - began) / 1e6 < len(audio) / 48  # faster than it plays


def test_pace_slows_generation_down_to_real_time() -> None:
    client = Client(Options(pace=1.0))
    client.type_in("Hello there, how are you?")
    audio = sum(len(base64.b64decode(e["delta"])) for e in client.of("response.output_audio.delta"))
    types = client.types()
    began = client.times[types.index("response.created")]
    ended = client.times[types.index("response.done")]
    assert (ended - began) / 1e6 > audio / 48


def test_generated_items_hide_their_predecessor_only_if_it_is_the_first() -> None:
    client = Client()
    client.update(output_modalities=["text"])
    client.type_in("One.")
    client.type_in("Two.")
    added = [e for e in client.of("conversation.item.added") if e["item"]["role"] == "assistant"]
    done = [e for e in client.of("conversation.item.done") if e["item"]["role"] == "assistant"]
    assert [e["previous_item_id"] is None for e in added] == [False, False]
    assert [e["previous_item_id"] is None for e in done] == [True, False]
    honest = Client(Options(null_predecessor=False))
    honest.type_in("One.", output_modalities=["text"])
    assert honest.of("conversation.item.done")[-1]["previous_item_id"] is not None


def test_a_spoken_turn_with_server_vad() -> None:
    client = Client(Options(transcripts=("What time is it?",)))
    client.update(audio={"input": {"transcription": {"model": "gpt-4o-transcribe"}}})
    client.hear(SPOKEN)
    client.settle()
    types = client.types()
    start = types.index("input_audio_buffer.speech_stopped")
    assert types[start : start + 5] == [
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "response.created",
    ]
    started = client.of("input_audio_buffer.speech_started")[0]
    stopped = client.of("input_audio_buffer.speech_stopped")[0]
    assert (started["audio_start_ms"] + 300) % 32 == 0
    assert abs(started["audio_start_ms"] - 700) <= 32
    assert stopped["audio_end_ms"] % 32 == 0
    assert 0 <= stopped["audio_end_ms"] - 2700 <= 64
    assert client.of("conversation.item.added")[0]["item"]["content"] == [
        {"type": "input_audio", "transcript": None}
    ]
    completed = client.of("conversation.item.input_audio_transcription.completed")[0]
    assert completed["transcript"] == "What time is it?"
    assert completed["item_id"] == started["item_id"]
    assert completed["usage"]["type"] == "tokens"
    length = stopped["audio_end_ms"] - started["audio_start_ms"]
    usage = client.of("response.done")[0]["response"]["usage"]
    assert usage["input_token_details"]["audio_tokens"] == length // 100
    said = client.of("response.done")[0]["response"]["output"][0]["content"][0]["transcript"]
    assert "What time is it?" in said
    client.check()


def test_a_streaming_transcription_begins_before_the_item_exists() -> None:
    client = Client()
    client.update(audio={"input": {"transcription": {"model": "gpt-realtime-whisper"}}})
    client.hear(SPOKEN)
    client.settle()
    stem = "conversation.item.input_audio_transcription"
    types = client.types()
    assert types.index(f"{stem}.delta") < types.index("input_audio_buffer.speech_stopped")
    completed = client.of(f"{stem}.completed")[0]
    assert "".join(e["delta"] for e in client.of(f"{stem}.delta")) == f" {completed['transcript']}"
    assert completed["usage"] == {"type": "duration", "seconds": 3}
    client.check()


def test_a_streaming_transcription_of_audio_fed_fast_begins_after_the_item() -> None:
    client = Client()
    client.update(audio={"input": {"transcription": {"model": "gpt-realtime-whisper"}}})
    client.hear(SPOKEN, wait_ms=0)
    client.settle()
    types = client.types()
    delta = types.index("conversation.item.input_audio_transcription.delta")
    assert delta > types.index("response.created")
    deltas = client.of("conversation.item.input_audio_transcription.delta")
    assert [event["delta"][0] == " " for event in deltas[:2]] == [True, True]
    client.check()


def test_whisper_reports_all_words_in_one_delta() -> None:
    client = Client(Options(transcripts=("One two three four five.",)))
    client.update(audio={"input": {"transcription": {"model": "whisper-1"}}})
    client.hear(SPOKEN)
    client.settle()
    deltas = client.of("conversation.item.input_audio_transcription.delta")
    assert [e["delta"] for e in deltas] == ["One two three four five."]


@pytest.mark.parametrize("form", ["audio/pcmu", "audio/pcma"])
def test_telephone_audio_both_ways(form: str) -> None:
    from recorder.audio import g711

    encode = g711.encode_ulaw if form == "audio/pcmu" else g711.encode_alaw
    client = Client()
    client.update(audio={"input": {"format": {"type": form}}, "output": {"format": {"type": form}}})
    loud = noise(1000, rate=8000)
    for part in (silence(500, 8000), loud, silence(600, 8000)):
        for place in range(0, len(part), 160):
            client.append(encode(part[place : place + 160]))
            client.wait(20)
    client.settle()
    started = client.of("input_audio_buffer.speech_started")[0]
    assert abs(started["audio_start_ms"] - 200) <= 32
    heard = b"".join(base64.b64decode(e["delta"]) for e in client.of("response.output_audio.delta"))
    response = client.of("response.done")[0]["response"]
    assert response["audio"]["output"]["format"] == {"type": form}
    tokens = response["usage"]["output_token_details"]["audio_tokens"]
    assert tokens == -(-(len(heard) // 8) // 50)
    client.check()


def test_manual_turns_commit_and_clear() -> None:
    client = Client()
    client.update(audio={"input": {"turn_detection": None}})
    client.hear(noise(500), wait_ms=0)
    assert client.send("input_audio_buffer.clear")[0]["type"] == "input_audio_buffer.cleared"
    client.hear(noise(1000), wait_ms=0)
    got = client.send("input_audio_buffer.commit")
    assert [e["type"] for e in got] == [
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
    ]
    assert client.wait(2000) == []
    client.send("response.create")
    client.settle()
    usage = client.of("response.done")[0]["response"]["usage"]
    assert usage["input_token_details"]["audio_tokens"] == 10
    assert "input_audio_buffer.speech_started" not in client.types()
    client.check()


def test_without_create_response_the_server_waits_for_the_client() -> None:
    client = Client()
    detection = {"type": "server_vad", "create_response": False}
    client.update(audio={"input": {"turn_detection": detection}})
    client.hear(SPOKEN)
    client.wait(2000)
    assert client.types()[-1] == "conversation.item.done"
    client.send("response.create")
    client.settle()
    client.check()


def test_semantic_vad_waits_as_long_as_it_is_not_eager() -> None:
    ends = []
    client = Client()
    got = client.update(audio={"input": {"turn_detection": {"type": "semantic_vad"}}})
    assert got[0]["session"]["audio"]["input"]["turn_detection"] == {
        "type": "semantic_vad",
        "eagerness": "auto",
        "create_response": True,
        "interrupt_response": True,
    }
    for eagerness in ("high", "medium", "low"):
        client = Client()
        detection = {"type": "semantic_vad", "eagerness": eagerness}
        client.update(audio={"input": {"turn_detection": detection}})
        client.hear(np.concatenate([silence(320), noise(640), silence(2000)]))
        client.settle()
        ends.append(client.of("input_audio_buffer.speech_stopped")[0]["audio_end_ms"])
    assert ends == sorted(set(ends))


def test_an_out_of_band_response_leaves_the_conversation_alone() -> None:
    client = Client()
    client.send("response.create")
    wish = {
        "conversation": "none",
        "metadata": {"topic": "x"},
        "output_modalities": ["text"],
        "input": [
            {
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": "Sort this."}],
            }
        ],
    }
    client.send("response.create", response=wish)
    client.settle()
    side = next(e for e in client.of("response.done") if e["response"]["metadata"])["response"]
    created = next(e for e in client.of("response.created") if e["response"]["metadata"])
    assert created["response"]["metadata"] == {"topic": "x"}
    assert side["conversation_id"] is None
    assert "Sort this." in side["output"][0]["content"][0]["text"]
    in_conversation = {e["item"]["id"] for e in client.of("conversation.item.added")}
    assert side["output"][0]["id"] not in in_conversation
    assert [e["response"]["status"] for e in client.of("response.done")] == ["completed"] * 2
    client.check()


def test_idle_timeout_asks_the_user_again() -> None:
    client = Client()
    detection = {"type": "server_vad", "idle_timeout_ms": 5000}
    client.update(audio={"input": {"turn_detection": detection}})
    client.type_in("Hello.")
    client.hear(silence(12_000))
    client.settle()
    triggered = client.of("input_audio_buffer.timeout_triggered")
    assert triggered[0]["audio_end_ms"] - triggered[0]["audio_start_ms"] == 5000
    types = client.types()
    place = types.index("input_audio_buffer.timeout_triggered")
    assert types[place + 1 : place + 5] == [
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "response.created",
    ]
    client.check()


def test_a_transcription_session_never_responds() -> None:
    client = Client(query="intent=transcription", options=Options(transcripts=("Take this down.",)))
    assert client.events[0]["session"]["object"] == "realtime.transcription_session"
    client.send(
        "session.update",
        session={
            "type": "transcription",
            "audio": {"input": {"transcription": {"model": "gpt-4o-transcribe"}}},
        },
    )
    client.hear(SPOKEN)
    client.wait(3000)
    completed = client.of("conversation.item.input_audio_transcription.completed")
    assert [e["transcript"] for e in completed] == ["Take this down."]
    assert not [type_ for type_ in client.types() if type_.startswith("response.")]
    client.send("response.create")
    assert client.error()["type"] == "invalid_request_error"
