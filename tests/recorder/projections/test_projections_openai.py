"""What a Realtime conversation comes to."""

from __future__ import annotations

from typing import Any

from folding import MS, frame, models
from hypothesis import given
from hypothesis import strategies as st
from tapes import Take, conversation

from recorder.heads import Close, ResponseHead
from recorder.providers import PROVIDERS


def done(at_ms: float, response: str, status: str, **details: Any) -> Take:
    told = {"id": response, "status": status, "status_details": details or None}
    return frame(at_ms, "provider", "response.done", response=told)


def test_a_spoken_and_a_typed_turn() -> None:
    made = models(conversation())
    first, second = made.turns
    assert (first.origin, first.user_text, first.agent_text) == (
        "speech",
        "Hello there.",
        "Good morning.",
    )
    assert first.user_started_ns is not None
    assert first.user_stopped_ns is not None
    assert first.first_audio_ns is not None
    assert first.user_started_ns < first.user_stopped_ns < first.first_audio_ns
    assert (second.origin, second.user_text) == ("text", "What is the time in Łódź?")
    assert (second.responses, second.tool_calls, second.first_audio_ns) == (1, 1, None)
    (call,) = made.tool_calls
    assert (call.name, call.arguments, call.output) == ("clock", '{"city":"Łódź"}', '"12:00"')
    assert (call.turn, call.failed) == (2, False)
    assert call.answered_ns is not None
    assert call.answered_ns - call.called_ns == 40 * MS
    heard = next(item for item in made.items if item.item == "item_b")
    assert (heard.audio_ms, heard.role, heard.turn) == (2000.0, "assistant", 1)
    assert made.outline.end_reason == "1000"
    assert made.outline.ended_by == "client"
    assert not made.errors
    assert not made.unknown
    assert not made.interruptions


def test_an_answer_that_the_client_truncates() -> None:
    made = models(conversation(interrupted=True))
    (cut,) = made.interruptions
    assert (cut.turn, cut.by, cut.item, cut.heard_ms) == (1, "client", "item_b", 400)
    assert cut.detected_ns is not None
    assert cut.acted_ns is not None
    assert cut.acted_ns - cut.detected_ns == 10 * MS
    assert made.turns[0].was_interrupted


def test_a_pause_continues_a_turn_and_an_answer_ends_it() -> None:
    speech = ("input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped")
    takes = [frame(at, "provider", speech[at // 100 % 2]) for at in range(0, 400, 100)]
    takes.append(frame(400, "provider", "response.created", response={"id": "r1"}))
    takes.append(frame(500, "provider", speech[0]))
    first, second = models(takes).turns
    assert (first.user_started_ns, first.user_stopped_ns) == (0, 300 * MS)
    assert second.user_started_ns == 500 * MS


def test_input_that_the_client_ends_itself_is_one_turn() -> None:
    takes = []
    for start, name in ((0, "r1"), (1000, "r2")):
        takes += [
            frame(start, "client", "input_audio_buffer.commit"),
            frame(start + 1, "client", "response.create"),
            frame(start + 5, "provider", "input_audio_buffer.committed", item_id=f"u{start}"),
            frame(start + 9, "provider", "response.created", response={"id": name}),
        ]
    first, second = models(takes).turns
    for turn, start in ((first, 0), (second, 1000)):
        assert (turn.origin, turn.user_started_ns) == ("speech", None)
        assert (turn.asked_ns, turn.committed_ns) == ((start + 1) * MS, (start + 5) * MS)
        assert turn.response_ns == (start + 9) * MS


def test_what_comes_late_belongs_where_it_began() -> None:
    takes = [
        frame(0, "provider", "input_audio_buffer.speech_started", item_id="u1"),
        frame(1, "provider", "response.created", response={"id": "r1"}),
        frame(2, "provider", "input_audio_buffer.speech_started", item_id="u2"),
        frame(
            3,
            "provider",
            "response.output_audio_transcript.done",
            response_id="r1",
            item_id="a1",
            transcript="Late.",
        ),
        done(4, "r1", "cancelled", type="cancelled", reason="turn_detected"),
        frame(
            5,
            "provider",
            "conversation.item.input_audio_transcription.completed",
            item_id="u1",
            transcript="First.",
        ),
    ]
    made = models(takes)
    assert [turn.agent_text for turn in made.turns] == ["Late.", ""]
    assert [turn.user_text for turn in made.turns] == ["First.", ""]
    (cut,) = made.interruptions
    assert (cut.turn, cut.by, cut.detected_ns, cut.ended_ns) == (1, "provider", 2 * MS, 4 * MS)


def test_who_truncates_an_answer_that_the_provider_cut_off_only_follows() -> None:
    takes = [
        frame(0, "provider", "response.created", response={"id": "r1"}),
        frame(1, "provider", "response.output_audio.delta", response_id="r1", item_id="a1"),
        frame(2, "provider", "input_audio_buffer.speech_started", item_id="u1"),
        frame(3, "client", "conversation.item.truncate", item_id="a1", audio_end_ms=1),
        done(4, "r1", "cancelled", type="cancelled", reason="turn_detected"),
    ]
    (cut,) = models(takes).interruptions
    assert (cut.by, cut.detected_ns, cut.acted_ns) == ("provider", 2 * MS, 3 * MS)
    takes[-1] = done(4, "r1", "cancelled", type="cancelled", reason="client_cancelled")
    assert [cut.by for cut in models(takes).interruptions] == ["client"]


def test_a_cancel_that_came_too_late_is_no_interruption() -> None:
    takes = [
        frame(0, "client", "response.create"),
        frame(1, "provider", "response.created", response={"id": "r1"}),
        done(2, "r1", "completed"),
        frame(3, "client", "response.cancel"),
    ]
    made = models(takes)
    assert not made.interruptions
    (turn,) = made.turns
    assert turn.origin == "agent"


def test_a_result_that_tells_an_error_is_a_failed_call() -> None:
    takes = [frame(0, "client", "response.create")]
    for call, output in (("c1", '{"error": "full"}'), ("c2", '{"ok": true}')):
        named = {"call_id": call, "name": "book", "arguments": "{}"}
        takes.append(frame(1, "provider", "response.function_call_arguments.done", **named))
        item = {"type": "function_call_output", "call_id": call, "output": output}
        takes.append(frame(2, "client", "conversation.item.create", item=item))
    assert [(row.call, row.failed) for row in models(takes).tool_calls] == [
        ("c1", True),
        ("c2", False),
    ]


def test_failures_are_classed() -> None:
    takes = [
        Take(0, 1, "provider", "ws.open", "401", ResponseHead(401, "Unauthorized").encode()),
        frame(1, "provider", "error", error={"type": "invalid_request_error", "message": "No."}),
        frame(2, "client", "response.create"),
        done(3, "r", "failed", type="failed", error={"code": "rate_limit_exceeded"}),
        done(4, "s", "failed", type="failed", error={"type": "server_error", "message": "Sorry"}),
        Take(5, 1, "provider", "ws.close", "1006", Close(1006).encode()),
    ]
    told = [(row.class_, row.side, row.code) for row in models(takes).errors]
    assert told == [
        ("auth", "client", "401"),
        ("client", "client", "invalid_request_error"),
        ("rate_limit", "client", "rate_limit_exceeded"),
        ("model", "provider", "server_error"),
        ("transport", "provider", "1006"),
    ]


def test_what_nobody_knows_is_counted() -> None:
    takes = [frame(at, "provider", "response.sung", song=at) for at in range(3)]
    (row,) = models(takes).unknown
    assert (row.type, row.times, row.first_seq) == ("response.sung", 3, 1)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
KNOWN = sorted(PROVIDERS["openai"].decoder()._readers)  # type: ignore[attr-defined]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(KNOWN),
            st.dictionaries(
                st.sampled_from(
                    ["item", "response", "error", "item_id", "delta", "audio_end_ms", "call_id"]
                ),
                JSON,
            ),
        ),
        max_size=12,
    )
)
def test_no_message_is_too_odd(messages: list[tuple[str, dict[str, Any]]]) -> None:
    takes = [frame(at, "provider", type_, **fields) for at, (type_, fields) in enumerate(messages)]
    made = models(takes)
    assert all(row.first_seq <= row.last_seq for row in made.turns)
