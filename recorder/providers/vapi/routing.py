"""Where a request or upgrade belongs, which call an answer names, and how clients come here.

Calls have UUIDs (version 7, so they tell when they were made). REST is `/call/{id}…`; the socket,
the listening socket and the control URL are `/{id}/transport`, `/{id}/listen`, `/{id}/control` on a
host that the answer to `POST /call` names (OpenAPI of Vapi, and answers as seen).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from recorder.heads import RequestHead, ResponseHead, header
from recorder.providers.base import Route

UUID = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
_CALL = re.compile(rf"/(?:v2/)?call/({UUID})(?:/|\Z)|/({UUID})/(?:transport|listen|control)\Z")
_ID = re.compile(rf"(?<=[/-])(?:{UUID}|\d{{13}})(?=[/.-]|\Z)")  # the digits are a time in ms
_CREATES = frozenset({"/call", "/call/web", "/call/phone"})
_VERSION_7 = re.compile(r"([0-9a-fA-F]{8})-([0-9a-fA-F]{4})-7[0-9a-fA-F]{3}-[0-9a-fA-F-]{17}\Z")


def route(head: RequestHead) -> Route:
    """What names a call belongs to it; `POST /call` begins one whose id its answer tells; other
    REST is control traffic. A WebSocket without a call is a conversation of its own."""
    found = _CALL.match(head.path)
    if found:
        return Route("call", (found[1] or found[2]).lower())
    if is_creation(head):
        return Route("call")
    if header(head.headers, "upgrade") is not None:
        return Route("conversation")
    return Route("control")


def is_creation(head: RequestHead) -> bool:
    """Whether a request makes a call."""
    return head.method == "POST" and head.path.rstrip("/") in _CREATES


def correlate(request: RequestHead, response: ResponseHead, body: bytes = b"") -> str | None:
    """The `id` of the call that `POST /call` made; None for a batch, which makes several."""
    if not body or not is_creation(request) or not 200 <= response.status < 300:
        return None
    try:
        call = json.loads(body)
    except (ValueError, RecursionError):
        return None
    name = call.get("id") if isinstance(call, dict) else None
    return name.lower() if isinstance(name, str) and name else None


def template(name: str) -> str:
    """`GET /call/0199…/listen` without its ids: `GET /call/{id}/listen`.

    A file's name has several: `/0199…-1760000000000-5f8e…-mono.wav`.
    """
    return _ID.sub("{id}", name) if "/" in name else name


def minted_ns(name: str) -> int | None:
    """When a UUID of version 7 was made (its first 48 bits are milliseconds, RFC 9562); None for
    any other name."""
    found = _VERSION_7.match(name)
    return int(found[1] + found[2], 16) * 1_000_000 if found else None


def sdk_hints(base_url: str) -> Sequence[str]:
    """One line per client: the knob and its value."""
    return (
        f"vapi_server_sdk    base_url={base_url}",
        f"@vapi-ai/server-sdk  baseUrl {base_url}",
        f'@vapi-ai/web       new Vapi(KEY, "{base_url}") (its audio is WebRTC, not recorded)',
        "webhooks of Vapi   /webhooks/vapi of this address, forwarded with --webhook-to URL",
    )
