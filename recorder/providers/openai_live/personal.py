"""Where the words of a conversation, and who takes part in it, stand in GPT-Live's messages.

Secrets need no list: `authorization` and `headers` of MCP servers are found by their names.
`safety_identifier`, `prompt_cache_key` and the account's `user` name a person or an account, in
`session.start` as in the snapshots of nested responses (recorded sessions). Arguments and outputs
of functions stay, but for the telephone numbers in them, since an application that replays a
conversation has to understand them; so do instructions.
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
        "safety_identifier",
        "prompt_cache_key",
        "user",
        "sip_headers.*.value",
        "target_uri",
    ),
    kept=frozenset({"session.output_audio.delta"}),
)
