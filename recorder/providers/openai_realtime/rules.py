"""What may differ between two runs of one Realtime conversation.

Ids: server ids are minted anew in each session, clients may mint `item.id` and `event_id`, and
both are referred to elsewhere; `session.update` merges, so that null (clear) is not absent
(unchanged); `root` as a predecessor is a place and no id (API reference, client events). The
place of transcripts of the user's audio among the events of a response, and of confirmations of
settings, is not fixed.
"""

from __future__ import annotations

from recorder.providers.base import Rules

_TRANSCRIPTION = "conversation.item.input_audio_transcription"

RULES = Rules(
    ids={
        "event_id": "event",
        "error.event_id": "event",
        "item.id": "item",
        "**.item_id": "item",
        "**.previous_item_id": "item",
        "response.output.*.id": "item",
        "response.input.*.id": "item",
        "**.approval_request_id": "item",
        "response.id": "response",
        "**.response_id": "response",
        "**.call_id": "call",
        "session.id": "session",
        "conversation.id": "conversation",
        "**.conversation_id": "conversation",
        "query.call_id.*": "rtc",
    },
    volatile=(
        "event_id",
        "**.obfuscation",
        "**.expires_at",
        "**.created_at",
        "**.received_at",
        "conversation.item.truncate:audio_end_ms",
        "conversation.item.truncated:audio_end_ms",
        f"{_TRANSCRIPTION}.delta:logprobs",
    ),
    optional=frozenset({"rate_limits.updated"}),
    ungated=frozenset({"input_audio_buffer.append", "session.input_audio_buffer.append"}),
    deltas={
        "input_audio_buffer.append": "audio",
        "session.input_audio_buffer.append": "audio",
        f"{_TRANSCRIPTION}.delta": "delta",
        "response.output_text.delta": "delta",
        "response.output_audio.delta": "delta",
        "response.output_audio_transcript.delta": "delta",
        "response.text.delta": "delta",
        "response.audio.delta": "delta",
        "response.audio_transcript.delta": "delta",
        "response.function_call_arguments.delta": "delta",
        "response.mcp_call_arguments.delta": "delta",
        "session.output_audio.delta": "delta",
        "session.input_transcript.delta": "delta",
        "session.output_transcript.delta": "delta",
    },
    heard=frozenset(
        {
            "input_audio_buffer.speech_started",
            "input_audio_buffer.speech_stopped",
            "input_audio_buffer.timeout_triggered",
            "session.input_transcript.delta",
            "session.output_transcript.delta",
            "session.output_audio.delta",
        }
    ),
    unprompted=frozenset({"session.created", "transcription_session.created"}),
    tolerated=frozenset({"conversation.item.truncate", "conversation.item.retrieve"}),
    unordered=frozenset(
        {
            "session.update",
            "session.updated",
            "transcription_session.update",
            "transcription_session.updated",
            "conversation.item.truncate",
            "conversation.item.truncated",
            "conversation.item.retrieve",
            "conversation.item.retrieved",
            f"{_TRANSCRIPTION}.delta",
            f"{_TRANSCRIPTION}.segment",
            f"{_TRANSCRIPTION}.completed",
            f"{_TRANSCRIPTION}.failed",
        }
    ),
    parallel={"conversation.item.create": "item.call_id"},
    explicit_nulls=("session.**",),
    constants=frozenset({"root"}),
    cuts=frozenset({"input_audio_buffer.commit", "input_audio_buffer.clear"}),
    embedded={"error": "error.message"},
    key_prefix="ek_",
)
