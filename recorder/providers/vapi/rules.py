"""What may differ between two runs of one call.

Ids and times are new in every call; transcripts, updates of speech and of the conversation come as
often, and in the order, that recognition and the network give; costs and latencies are measured.
"""

from __future__ import annotations

from recorder.providers.base import Rules
from recorder.providers.vapi.capture import AUDIO, LISTEN_AUDIO

RULES = Rules(
    ids={
        "call.id": "call",
        "message.call.id": "call",
        "**.callId": "call",
        "**.toolCallId": "tool",
        "**.tool_call_id": "tool",
        "**.toolCalls.*.id": "tool",
        "**.toolCallList.*.id": "tool",
        "**.toolWithToolCallList.*.toolCall.id": "tool",
        "**.turnId": "turn",
    },
    volatile=(
        "**.timestamp",
        "**.createdAt",
        "**.updatedAt",
        "**.startedAt",
        "**.endedAt",
        "**.time",
        "**.endTime",
        "**.secondsFromStart",
        "**.duration",
        "**.durationMs",
        "**.durationSeconds",
        "**.durationMinutes",
        "**.performanceMetrics",
        "**.turnId",
    ),
    optional=frozenset({"hang", "voice-input", "model-output", "assistant.speechStarted"}),
    ungated=frozenset({AUDIO}),
    deltas={},
    heard=frozenset({"speech-update", "transcript", "user-interrupted", "conversation-update"}),
    unprompted=frozenset({"status-update", LISTEN_AUDIO}),
    unordered=frozenset({"speech-update", "conversation-update", "transcript", "status-update"}),
)
