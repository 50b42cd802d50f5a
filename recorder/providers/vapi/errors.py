"""Errors of ours in the words of Vapi (NestJS): `{"message", "error", "statusCode"}`."""

from __future__ import annotations

import json

_STATUS = {"recorder_store_failed": 503, "recorder_host_refused": 403}


def error_event(
    code: str, message: str, *, event_id: str | None = None, by_client: bool = False
) -> bytes:
    """An error body. `statusCode` is 400 if the client is to blame, else what the code stands for
    (502 where nothing is known of it); Vapi's messages have no ids, so `event_id` is not told."""
    status = 400 if by_client else _STATUS.get(code, 502)
    return json.dumps({"message": message, "error": code, "statusCode": status}).encode()
