"""How a client of Vapi acts: on the socket it speaks, and may add words; functions are answered by
the team's server (Vapi's documentation: WebSocket transport, live call control, server events)."""

from __future__ import annotations

from recorder.providers.base import Conduct, ToolWebhook

CONDUCT = Conduct(
    asks=frozenset({"add-message", "say"}),
    tools=ToolWebhook(
        "tool-calls",
        calls="message.toolCallList",
        id="id",
        name="function.name",
        arguments="function.arguments",
        results="results",
        answer_id="toolCallId",
        answer_result="result",
        answer_error="error",
    ),
)
