"""Where a request or upgrade belongs, and how clients are pointed here.

Paths are matched by suffix, because gateways and Azure put prefixes before them
(`/v1/realtime`, `/openai/v1/realtime`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import parse_qs

from recorder.heads import RequestHead, ResponseHead, header
from recorder.providers.base import Route

_CALL = re.compile(r"/realtime/calls/([^/?#]+)")


def route(head: RequestHead) -> Route:
    """A WebSocket is a conversation, or joins the call of `?call_id=`; REST about a call joins it;
    `POST …/realtime/calls` begins one whose id its answer tells."""
    query = parse_qs(head.query)
    model = next(iter(query.get("model", query.get("deployment", []))), None)
    if "call_id" in query:
        return Route("call", query["call_id"][0], model)
    named = _CALL.search(head.path)
    if named:
        return Route("call", named[1], model)
    path = head.path.rstrip("/")
    if head.method == "POST" and path.endswith("/realtime/calls"):
        return Route("call", None, model)
    if header(head.headers, "upgrade") is not None:
        return Route("conversation", None, model)
    return Route("control")


def correlate(request: RequestHead, response: ResponseHead, body: bytes = b"") -> str | None:
    """The call id in the `Location` of an answer to `POST …/realtime/calls`."""
    named = _CALL.search(header(response.headers, "location") or "")
    return named[1] if named else None


def sdk_hints(base_url: str) -> Sequence[str]:
    """One line per client: the knob and its value."""
    socket = "ws" + base_url.removeprefix("http")
    return (
        f"openai-python      OPENAI_BASE_URL={base_url}/v1",
        f"openai-agents      url={socket}/v1/realtime?model=MODEL (RealtimeModelConfig)",
        f"openai (npm)       baseURL {base_url}/v1 (dials wss: only, so use --tls-self-signed)",
        f"agents-realtime    url {socket}/v1/realtime?model=MODEL (connect options)",
        f"pipecat, livekit   base_url={socket}/v1/realtime | {base_url}/v1",
    )
