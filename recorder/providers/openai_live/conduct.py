"""How a client of GPT-Live acts (delegation guide): a function's result is an item for the backend,
which then has to be asked to go on."""

from __future__ import annotations

from recorder.providers.base import Conduct

CONDUCT = Conduct(
    asks=frozenset({"response.create"}),
    result=("item.call_id", "item.output"),
    answer=b'{"type":"response.item.create","item":{"type":"function_call_output"}}',
    more=b'{"type":"response.create"}',
    acks=frozenset(
        {
            "session.instructions.appended",
            "session.thinking.appended",
            "session.commentary.appended",
            "session.input_audio.muted",
            "session.input_audio.unmuted",
        }
    ),
    media=("/live/sessions",),
)
