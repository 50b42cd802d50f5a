"""What a Vapi call comes to: told on its socket, by webhooks, or by a report alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from folding import MS, frame, hook, models
from tapes import Take

from recorder.heads import RequestHead, ResponseHead

CALL = {"id": "t1", "type": "function", "function": {"name": "look", "arguments": {"city": "O"}}}


def told(at_ms: float, type_: str, **fields: Any) -> Take:
    return frame(at_ms, "provider", type_, **fields)


def speech(at_ms: float, role: str, status: str, **fields: Any) -> Take:
    return told(at_ms, "speech-update", role=role, status=status, **fields)


def transcript(at_ms: float, role: str, text: str, kind: str = "final") -> Take:
    return told(at_ms, "transcript", role=role, transcriptType=kind, transcript=text)


def story() -> list[Take]:
    """A greeting, a turn with a tool, and an interruption."""
    return [
        told(0, "status-update", status="in-progress"),
        speech(10, "assistant", "started"),
        Take(20, 1, "provider", "ws.binary", "", bytes(640)),
        transcript(30, "assistant", "Hello."),
        speech(40, "assistant", "stopped"),
        speech(100, "user", "started"),
        transcript(110, "user", "The wea", "partial"),
        speech(120, "user", "stopped"),
        transcript(130, "user", "The weather?"),
        told(140, "model-output", output="It ", turnId="m1"),
        told(141, "tool-calls", toolCallList=[CALL]),
        *hook(
            142,
            5,
            "tool-calls",
            {"results": [{"toolCallId": "t1", "result": "rain"}]},
            toolCallList=[CALL],
        ),
        speech(160, "assistant", "started"),
        transcript(165, "assistant", "It rai", "partial"),
        speech(170, "user", "started"),
        told(180, "user-interrupted", turnId="m1"),
        speech(185, "assistant", "stopped"),
        transcript(190, "assistant", "It rains."),
        *hook(200, 6, "status-update", {}, status="ended", endedReason="customer-ended-call"),
    ]


def test_a_call_told_on_its_socket() -> None:
    made = models(story(), "vapi")
    greeting, first, second = made.turns
    assert (greeting.origin, greeting.agent_text) == ("agent", "Hello.")
    assert (first.origin, first.user_text, first.agent_text) == (
        "speech",
        "The weather?",
        "It rains.",
    )
    assert (first.user_started_ns, first.user_stopped_ns) == (100 * MS, 120 * MS)
    assert (first.tool_calls, first.was_interrupted) == (1, True)
    assert second.user_started_ns == 170 * MS
    assert [(each.status, each.audio_ms) for each in made.responses] == [
        ("completed", 20.0),
        ("cancelled", 0.0),
    ]
    (call,) = made.tool_calls
    assert (call.name, json.loads(call.arguments), call.output) == ("look", {"city": "O"}, "rain")
    assert (call.called_ns, call.answered_ns) == (141 * MS, 147 * MS)
    (cut,) = made.interruptions
    assert (cut.turn, cut.detected_ns, cut.ended_ns) == (2, 170 * MS, 185 * MS)
    assert (made.outline.end_reason, made.outline.ended_by) == ("customer-ended-call", "client")
    assert not made.unknown


def test_what_is_told_twice_counts_once() -> None:
    twice: list[Take] = []
    for number, take in enumerate(story()):
        twice.append(take)
        if take.kind == "ws.text" and b"tool-calls" not in take.body:
            message = json.loads(take.body)
            twice += hook(take.at_ms, 100 + number, message.pop("type"), {}, **message)
    once, again = models(story(), "vapi"), models(twice, "vapi")
    for name in ("turns", "responses", "tool_calls", "transcripts", "interruptions"):
        have, want = getattr(again, name), getattr(once, name)
        assert [_spoken(row) for row in have] == [_spoken(row) for row in want], name


def _spoken(row: Any) -> dict[str, Any]:
    """A row without its place on the tape."""
    return {key: value for key, value in row._asdict().items() if not key.endswith("_seq")}


def test_a_webhook_adds_the_provider_s_time() -> None:
    takes = [
        speech(0, "user", "started"),
        speech(10, "user", "stopped"),
        *hook(12, 5, "speech-update", {}, role="user", status="stopped", timestamp=1_000),
        speech(20, "assistant", "started"),
        *hook(22, 6, "speech-update", {}, role="assistant", status="started", timestamp=1_760),
    ]
    (turn,) = models(takes, "vapi").turns
    assert (turn.user_stopped_ns, turn.response_ns) == (10 * MS, 20 * MS)
    assert (turn.user_stopped_stamp_ms, turn.response_stamp_ms) == (1_000, 1_760)


@pytest.mark.parametrize("answer", [None, {"results": []}])
def test_a_tool_that_nobody_answered_failed(answer: Any) -> None:
    made = models(
        [speech(0, "user", "started"), *hook(1, 5, "tool-calls", answer, toolCallList=[CALL])],
        "vapi",
    )
    (call,) = made.tool_calls
    assert call.failed
    assert [row.class_ for row in made.errors] == ([] if answer else ["tool"])


def test_a_call_of_which_only_the_end_is_known() -> None:
    messages = [
        {"role": "system", "message": "Be brief."},
        {"role": "bot", "message": "Hello.", "secondsFromStart": 1.0, "duration": 500},
        {"role": "user", "message": "Bye.", "secondsFromStart": 2.5, "duration": 300},
    ]
    vendor = {"turnLatencies": [{"turnLatency": 900, "modelLatency": 400}]}
    call = {
        "id": "c",
        "status": "ended",
        "endedReason": "call.in-progress.error-providerfault-openai-llm-failed",
        "artifact": {"messages": messages, "performanceMetrics": vendor},
    }
    name = "GET /call/{id}"
    takes = [
        Take(0, 1, "client", "http.request", name, RequestHead("GET", "/call/c").encode()),
        Take(0, 1, "client", "http.chunk", name, b""),
        Take(9, 1, "provider", "http.response", "200", ResponseHead(200, "OK").encode()),
        Take(9, 1, "provider", "http.chunk", name, json.dumps(call).encode()),
        Take(9, 1, "provider", "http.chunk", name, b""),
    ]
    made = models(takes, "vapi")
    assert [(each.role, each.text, each.start_ms) for each in made.transcripts] == [
        ("assistant", "Hello.", 1000.0),
        ("user", "Bye.", 2500.0),
    ]
    assert [(row.name, row.ms) for row in made.vendor] == [
        ("turnLatency", 900.0),
        ("modelLatency", 400.0),
    ]
    (error,) = made.errors
    assert (error.class_, error.side, error.is_fatal) == ("model", "upstream", True)
    assert made.turns[0].first_audio_ns is None
