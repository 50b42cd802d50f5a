"""What Realtime events are said to say."""

from __future__ import annotations

from typing import Any

import pytest
from tapes import session_object, usage

from recorder.providers.openai_realtime import describe

_CALL = {"type": "function_call", "name": "clock", "arguments": '{"city":"Łódź"}'}
_ANSWER = {
    "type": "message",
    "role": "assistant",
    "content": [{"type": "output_audio", "transcript": "Good morning."}],
}


def _done(**response: Any) -> dict[str, Any]:
    return {"response": {"status": "completed", "status_details": None, "output": [], **response}}


@pytest.mark.parametrize(
    ("type_", "message", "text"),
    [
        (
            "session.created",
            {"session": session_object(tools=[{"type": "function", "name": "clock"}])},
            "gpt-realtime, audio, in pcm 24000 Hz out pcm 24000 Hz, marin, server_vad 500 ms, "
            "tools clock, “Be brief.”",
        ),
        (
            "session.update",
            {"session": {"audio": {"input": {"turn_detection": None}}}},
            "manual turns",
        ),
        (
            "session.updated",
            {
                "session": {
                    "modalities": ["audio", "text"],
                    "input_audio_format": "g711_ulaw",
                    "output_audio_format": "pcm16",
                    "voice": "alloy",
                    "turn_detection": {"type": "semantic_vad", "interrupt_response": False},
                }
            },
            "audio+text, in g711_ulaw out pcm16, alloy, semantic_vad without interruption",
        ),
        ("input_audio_buffer.append", {"audio": "AAAA"}, ""),
        ("response.output_audio.delta", {"delta": ""}, ""),
        ("response.output_text.delta", {"delta": " Hi"}, " Hi"),
        ("response.audio_transcript.delta", {"delta": "Good"}, "Good"),
        ("response.output_text.done", {"text": "Hi."}, "“Hi.”"),
        ("response.output_audio_transcript.done", {"transcript": "Hi."}, "“Hi.”"),
        ("conversation.item.created", {"item": _ANSWER}, "assistant “Good morning.”"),
        (
            "conversation.item.create",
            {"item": {"type": "function_call_output", "call_id": "call_a", "output": "12:00"}},
            "call_a = 12:00",
        ),
        (
            "conversation.item.added",
            {"item": {"type": "message", "role": "user", "content": [{"type": "input_audio"}]}},
            "user [input_audio]",
        ),
        (
            "conversation.item.input_audio_transcription.completed",
            {
                "transcript": "Hello.",
                "usage": {
                    "type": "tokens",
                    "input_tokens": 26,
                    "output_tokens": 9,
                    "input_token_details": {"text_tokens": 0, "audio_tokens": 26},
                },
            },
            "“Hello.”, tokens 26 (26 audio) in, 9 out",
        ),
        (
            "conversation.item.input_audio_transcription.failed",
            {"error": {"type": "server_error", "code": None, "message": "No words."}},
            "server_error: No words.",
        ),
        (
            "conversation.item.truncate",
            {"item_id": "item_b", "audio_end_ms": 400},
            "item_b, heard 400 ms",
        ),
        ("input_audio_buffer.speech_started", {"audio_start_ms": 1460}, "at 1460 ms"),
        (
            "input_audio_buffer.timeout_triggered",
            {"audio_start_ms": 0, "audio_end_ms": 6000},
            "at 0 ms to 6000 ms",
        ),
        (
            "error",
            {"error": {"type": "invalid_request_error", "code": "invalid_value", "message": "No."}},
            "invalid_value: No.",
        ),
        (
            "response.create",
            {
                "response": {
                    "conversation": "none",
                    "output_modalities": ["text"],
                    "instructions": "Sum up.",
                    "input": [_ANSWER],
                    "metadata": {"topic": "sum"},
                }
            },
            'out of band, text, “Sum up.”, input assistant “Good morning.”, {"topic": "sum"}',
        ),
        (
            "response.function_call_arguments.done",
            {"name": "clock", "arguments": '{"city":"Łódź"}'},
            'clock({"city":"Łódź"})',
        ),
        (
            "response.done",
            _done(output=[_ANSWER, _CALL], usage=usage()),
            "completed, tokens 70 (50 text, 20 audio) in, 50 (10 text, 40 audio) out, "
            'assistant “Good morning.”, clock({"city":"Łódź"})',
        ),
        (
            "response.done",
            _done(
                status="cancelled",
                status_details={"type": "cancelled", "reason": "turn_detected"},
                usage=None,
            ),
            "cancelled as turn_detected",
        ),
        (
            "response.done",
            _done(
                status="failed",
                status_details={
                    "type": "failed",
                    "error": {"type": "x", "code": "rate_limit_exceeded", "message": "Wait."},
                },
            ),
            "failed as rate_limit_exceeded: Wait.",
        ),
        (
            "rate_limits.updated",
            {"rate_limits": [{"name": "tokens", "limit": 100, "remaining": 99}]},
            "99 of 100 tokens left",
        ),
        ("something.new", {"text": "Words."}, "“Words.”"),
        ("something.new", {"n": 1}, ""),
    ],
)
def test_what_an_event_says(type_: str, message: dict[str, Any], text: str) -> None:
    assert describe(type_, message) == text


@pytest.mark.parametrize("wrong", [None, 7, "x", [], {}, [None], {"item": [1]}])
@pytest.mark.parametrize(
    "type_",
    [
        "session.updated",
        "response.done",
        "response.create",
        "conversation.item.added",
        "error",
        "rate_limits.updated",
        "response.content_part.done",
        "response.output_text.delta",
    ],
)
def test_no_shape_is_an_error(type_: str, wrong: object) -> None:
    fields = ("session", "response", "item", "error", "rate_limits", "part", "delta", "usage")
    assert isinstance(describe(type_, dict.fromkeys(fields, wrong)), str)
