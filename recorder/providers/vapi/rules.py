"""What may differ between two runs of one call.

Ids and times are new in every call, and an application asks for a time that ends now; transcripts,
updates of speech and of the conversation come as often, and in the order, that recognition and the
network give; costs and latencies are measured, and files have names of their own. How often a call
is asked for until its costs have settled depends on timing, and nothing depends on what is read.
Of the webhooks only some ask for something (Vapi's documentation, server events); the others are
told and not waited for.
"""

from __future__ import annotations

from recorder.providers.base import Rules
from recorder.providers.vapi.capture import AUDIO, LISTEN_AUDIO

_ENDS = ("Gt", "Lt", "Ge", "Le")
_RANGES = tuple(f"query.{name}At{end}" for name in ("created", "updated") for end in _ENDS)

RULES = Rules(
    ids={
        "id": "thing",
        "*.id": "thing",
        "results.*.id": "thing",
        "message.call.id": "thing",
        "**.assistant.id": "thing",
        "**.assistantId": "thing",
        "**.orgId": "thing",
        "**.callId": "thing",
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
        "**.cost",
        "**.costs",
        "**.costBreakdown",
        "**.recording",
        "**.recordingUrl",
        "**.stereoRecordingUrl",
        "**.videoRecordingUrl",
        "**.logUrl",
        "**.pcapUrl",
        "**.artifact.variables",
        "**.artifact.variableValues",
        "**.turnId",
        "**.timeRange.start",
        "**.timeRange.end",
        *_RANGES,
    ),
    optional=frozenset({"hang"}),
    ungated=frozenset({AUDIO, LISTEN_AUDIO}),
    deltas={},
    tolerated=frozenset({"GET *"}),
    unordered=frozenset({"speech-update", "conversation-update", "transcript", "status-update"}),
    is_paced=True,
    awaited=frozenset(
        {
            "assistant-request",
            "call.endpointing.request",
            "campaign.predial",
            "function-call",
            "handoff-destination-request",
            "knowledge-base-request",
            "tool-calls",
            "transfer-destination-request",
            "voice-request",
        }
    ),
    commands=frozenset({"DELETE /call/{id}", "POST /{id}/control"}),
    links={
        "transport.websocketCallUrl": "ws:/{id}/transport",
        "monitor.listenUrl": "ws:/{id}/listen",
        "monitor.controlUrl": "http:/{id}/control",
    },
)
