"""What may differ between two runs of one GPT-Live conversation.

Ids are minted anew in each session. The output and the transcripts come as the audio goes on,
whatever the client does: nothing waits for a number of appends. How often usage is told, how the
transcripts are cut and what the voice says are not fixed (sessions guide, recorded sessions).
"""

from __future__ import annotations

from recorder.providers.base import Rules
from recorder.providers.openai_live.sides import APPEND, OUTPUT

_TRANSCRIPTS = ("session.input_transcript.delta", "session.output_transcript.delta")

RULES = Rules(
    ids={
        "event_id": "event",
        "client_event_id": "event",
        "error.client_event_id": "event",
        "session.id": "session",
        "delegation.id": "delegation",
        "delegation_id": "delegation",
        "delegation.response_id": "response",
        "event.response.id": "response",
        "**.response_id": "response",
        "**.previous_response_id": "response",
        "item.id": "item",
        "event.item.id": "item",
        "**.item_id": "item",
        "**.call_id": "call",
    },
    volatile=(
        "event_id",
        "**.obfuscation",
        "**.expires_at",
        "**.created_at",
        "**.completed_at",
        "**.start_ms",
        "**.end_ms",
        "**.offset_ms",
        "**.usage",
        "**.usage_ratio",
    ),
    optional=frozenset({"session.usage.updated", "info"}),
    ungated=frozenset({APPEND}),
    deltas={APPEND: "audio", OUTPUT: "delta", **dict.fromkeys(_TRANSCRIPTS, "delta")},
    unprompted=frozenset(
        {
            OUTPUT,
            *_TRANSCRIPTS,
            "session.delegation.created",
            "session.usage.updated",
            "session.paused",
            "session.resumed",
            "transport.dtmf.received",
            "transport.ringing",
            "transport.answered",
        }
    ),
    tolerated=frozenset({"session.input_audio.mute", "session.input_audio.unmute"}),
    unordered=frozenset({*_TRANSCRIPTS, "session.usage.updated"}),
    parallel={"response.item.create": "item.call_id"},
    explicit_nulls=("delegation_id",),
    ends={"session.close": "session.closed"},
    is_paced=True,
    nested={"response.event": "event.type"},
    embedded={"error": "error.message"},
)
