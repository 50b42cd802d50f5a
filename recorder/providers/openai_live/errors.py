"""Errors of ours in the words of GPT-Live, so that every client shows them."""

from __future__ import annotations

import json


def error_event(
    code: str, message: str, *, event_id: str | None = None, by_client: bool = False
) -> bytes:
    """An `error` event, type `invalid_request_error` if the client is to blame, else
    `server_error`; as an HTTP body its `error` object reads the same."""
    error: dict[str, str | None] = {
        "type": "invalid_request_error" if by_client else "server_error",
        "code": code,
        "message": message,
        "param": None,
    }
    if event_id is not None:
        error["client_event_id"] = event_id
    return json.dumps({"type": "error", "event_id": "event_recorder", "error": error}).encode()
