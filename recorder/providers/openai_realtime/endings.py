"""How `response.done` says that a response failed or is incomplete.

`status_details` is `{"type": "failed", "error": {"type", "code", "message"}}`, and such a response
has no output and no usage; or `{"type": "incomplete", "reason"}`, and its last item is incomplete,
too (API reference, server events; the codes of failures are those that clients report).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

TYPES = frozenset({"response.done"})
STATUSES: Mapping[str, Sequence[str]] = {
    "failed": ("server_error", "rate_limit_exceeded", "insufficient_quota"),
    "incomplete": ("max_output_tokens", "content_filter"),
}


def reworded(body: bytes, status: str, reason: str) -> bytes:
    """A `response.done` whose response ended with one of `STATUSES`, for `reason` (the first one
    by default). What is none stays as it is."""
    message = json.loads(body)
    response = message.get("response")
    if not isinstance(response, dict):
        return body
    why = reason or STATUSES[status][0]
    response["status"] = status
    if status == "failed":
        error = {"type": why, "code": why, "message": f"replay: {why}"}
        response |= {
            "status_details": {"type": "failed", "error": error},
            "output": [],
            "usage": None,
        }
    else:
        response["status_details"] = {"type": "incomplete", "reason": why}
        _mark_last(response.get("output"), status)
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def _mark_last(output: Any, status: str) -> None:
    if isinstance(output, list) and output and isinstance(output[-1], dict):
        output[-1]["status"] = status
