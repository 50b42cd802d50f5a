"""Deliveries about GPT-Live: `live.transport.incoming`, `live.transport.connected` and the older
`live.call.incoming`, all with `data.session_id` (openai-python, `types/webhooks`).

They are signed in the manner of Standard Webhooks (`webhook-id`, `webhook-timestamp`,
`webhook-signature`), as some of Vapi's are. Their address is set in the project's settings, so
that no request has to be changed. The same call may also come as `realtime.call.incoming`, whose
id is no Live session's; it goes to the control tape.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from recorder.heads import RequestHead
from recorder.providers.base import Delivery, Edit
from recorder.providers.fields import text_at
from recorder.providers.vapi.signatures import signature, signed

__all__ = ["acknowledgement", "addressed", "read", "signature", "signed"]


def read(body: bytes) -> Delivery:
    """Its type and the id of its session."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return Delivery("")
    name = text_at(told, "type")
    key = text_at(told, "data", "session_id") if name.startswith("live.") else ""
    return Delivery(name if name.isprintable() else "", key or None)


def acknowledgement(delivery: Delivery) -> bytes:
    """An empty object: the provider looks at the status alone."""
    return b"{}"


def addressed(request: RequestHead, body: bytes, url: str) -> Sequence[Edit]:
    """None: see above."""
    return ()
