"""Where a request or upgrade belongs, which session an answer names, how clients come here.

A primary WebSocket has neither model nor id in its URL: the id stands in its first
`session.started`. A sideband, REST and webhooks name it. A fork is a session of its own, and its
URL names the parent (API reference, Live: sessions, server-side controls, telephony). Paths are
matched by their end, because gateways and Azure put prefixes before them
(`/openai/v1/live/sessions`; `/openai/v1/live` in the first revision).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from recorder.heads import RequestHead, ResponseHead, header
from recorder.providers.base import Route
from recorder.providers.fields import text_at

PATHS = re.compile(r"(?:/[^/]+)*?/v1/live(?:/sessions(?:/.*)?)?/?\Z")
"""What of the paths of OpenAI is GPT-Live. The dialect before its release began with `POST
/v1/live`, which is none of it but is kept on the same tapes, undecoded."""

_NAMED = re.compile(r"/live/sessions/([^/?#]+)(?:/([a-z_]+))?")
_FORK = "fork"


def route(head: RequestHead) -> Route:
    """What names a session belongs to it. A WebSocket, a creation or a fork begins one whose id
    its answer tells; the rest is control traffic."""
    found = _NAMED.search(head.path)
    if found and found[2] != _FORK:
        return Route("call", found[1])
    if header(head.headers, "upgrade") is not None or makes_session(head):
        return Route("call")
    return Route("control")


def makes_session(head: RequestHead) -> bool:
    """Whether a request makes a session, by itself or as a fork."""
    path = head.path.rstrip("/")
    is_fork = path.endswith("/fork") and _NAMED.search(path) is not None
    return head.method == "POST" and (path.endswith("/live/sessions") or is_fork)


def is_sideband(path: str) -> bool:
    """Whether a socket's path attaches it to a session that is under way."""
    return path.rstrip("/").endswith("/attach")


def correlate(request: RequestHead, response: ResponseHead, body: bytes = b"") -> str | None:
    """The session's id: in the answer to a creation or a fork, and in `session.started`."""
    if not 200 <= response.status < 300 and response.status != 101:
        return None
    if response.status == 101 and b'"session.started"' not in body:
        return None
    if response.status != 101 and not makes_session(request):
        return None
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return text_at(told, "session", "id") or None


def sdk_hints(base_url: str) -> Sequence[str]:
    """One line per client: the knob and its value."""
    socket = "ws" + base_url.removeprefix("http")
    return (
        f"openai (Live)      OPENAI_BASE_URL={base_url}/v1 (Python and npm)",
        f"pipecat (Live)     base_url={socket}/v1/live/sessions",
        "webhooks of Live   /webhooks/openai-live of this address, forwarded with --webhook-to URL",
    )


def template(name: str) -> str:
    """`POST /v1/live/sessions/live_…/hangup` with `{id}` for the session's."""
    return _NAMED.sub(_untold, name) if "/live/sessions/" in name else name


def _untold(found: re.Match[str]) -> str:
    return "/live/sessions/{id}" + (f"/{found[2]}" if found[2] else "")
