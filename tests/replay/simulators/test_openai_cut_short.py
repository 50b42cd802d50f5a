"""Responses that do not end by themselves: interrupted, cancelled, out of tokens."""

from __future__ import annotations

import base64

import numpy as np
from openai_client import Client, noise, silence

from replay.simulators.common.words import pieces
from replay.simulators.openai import Options


def test_speech_over_a_reply_that_is_generated_cancels_it() -> None:
    client = Client(Options(pace=1.0, replies=("A long reply that goes on and on for a while.",)))
    client.send("response.create")
    client.wait(1500)
    got = client.hear(noise(200), chunk=768)
    types = [e["type"] for e in got if not e["type"].endswith(".delta")]
    assert types[:8] == [
        "input_audio_buffer.speech_started",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
        "rate_limits.updated",
    ]
    response = client.of("response.done")[0]["response"]
    assert response["status"] == "cancelled"
    assert response["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
    assert response["output"][0]["status"] == "incomplete"
    heard = sum(len(base64.b64decode(e["delta"])) for e in client.of("response.output_audio.delta"))
    tokens = response["usage"]["output_token_details"]["audio_tokens"]
    assert tokens == -(-(heard // 48) // 50)
    item_id = response["output"][0]["id"]
    got = client.send(
        "conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=500
    )
    assert got[0]["type"] == "conversation.item.truncated"
    client.hear(silence(600))
    client.settle()
    assert client.of("response.done")[-1]["response"]["status"] == "completed"
    client.check()


def test_without_interrupt_response_the_old_reply_goes_on_and_a_new_one_fails() -> None:
    client = Client(Options(pace=0.5, replies=("A long reply that goes on and on for a while.",)))
    detection = {"type": "server_vad", "interrupt_response": False}
    client.update(audio={"input": {"turn_detection": detection}})
    client.send("response.create")
    client.wait(1000)
    client.hear(np.concatenate([noise(400), silence(400)]))
    error = client.of("error")[0]["error"]
    assert error["code"] == "conversation_already_has_active_response"
    client.settle()
    assert [e["response"]["status"] for e in client.of("response.done")] == ["completed"]
    client.check()


def test_cancel_ends_a_response_once() -> None:
    client = Client()
    client.send("response.create")
    client.wait(600)
    client.send("response.cancel")
    response = client.of("response.done")[0]["response"]
    assert response["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}
    client.send("response.cancel")
    assert client.error()["code"] == "response_cancel_not_active"
    assert client.wait(5000) == []
    client.check()


def test_cancel_before_the_first_token() -> None:
    client = Client()
    client.send("response.create")
    client.send("response.cancel")
    response = client.of("response.done")[0]["response"]
    assert response["output"] == []
    assert response["usage"]["output_tokens"] == 0
    client.check()


def test_max_output_tokens_leave_a_response_incomplete() -> None:
    client = Client()
    client.type_in("Talk to me.", output_modalities=["text"], max_output_tokens=4)
    response = client.of("response.done")[0]["response"]
    assert response["status"] == "incomplete"
    assert response["status_details"] == {"type": "incomplete", "reason": "max_output_tokens"}
    assert response["usage"]["output_tokens"] == 4
    assert len(pieces(response["output"][0]["content"][0]["text"])) == 4
    client.check()
