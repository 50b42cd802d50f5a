"""How a client of the Realtime API acts (API reference, client events).

A function's result is an item, and a reply to it has to be asked for. Cancelling a reply that is
over, and truncating at a place beyond what was sent, are errors that timing alone decides.
"""

from __future__ import annotations

from recorder.providers.base import Conduct

CONDUCT = Conduct(
    heard=("item_id", "audio_end_ms"),
    result=("item.call_id", "item.output"),
    answer=b'{"type":"conversation.item.create","item":{"type":"function_call_output"}}',
    more=b'{"type":"response.create"}',
    benign=frozenset({"response_cancel_not_active", "item_truncate_invalid_item_id"}),
    media=("/realtime/calls",),
)
