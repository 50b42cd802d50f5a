"""Where the words of a conversation stand in events and bodies of the OpenAI Realtime API.

Arguments and outputs of functions stay, but for the telephone numbers in them, since an application
that replays a conversation has to understand them; so do instructions.
"""

from __future__ import annotations

from recorder.redact import Personal

PERSONAL = Personal(
    (
        "transcript",
        "text",
        "delta",
        "content",
        "input",
        "output_text",
        "logprobs.*.token",
        "logprobs.*.top_logprobs.*.token",
    ),
    kept=frozenset(
        {
            "response.function_call_arguments.delta",
            "response.mcp_call_arguments.delta",
            "response.output_audio.delta",
            "response.audio.delta",
        }
    ),
)
