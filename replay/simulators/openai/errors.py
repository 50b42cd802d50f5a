"""What the service refuses: client JSON that is none, and every error that it answers."""

from __future__ import annotations

import json
from typing import Any

Json = dict[str, Any]


def json_object(body: bytes) -> Json:
    """The JSON object that `body` is; ValueError says what it is instead."""
    try:
        value = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as problem:
        raise ValueError("it is not valid JSON") from problem
    if not isinstance(value, dict):
        raise ValueError("it is not a JSON object")
    return value


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


class ClientError(Exception):
    """A client event that is answered by an `error` event; the session goes on."""

    def __init__(
        self,
        message: str,
        code: str | None = None,
        param: str | None = None,
        kind: str = "invalid_request_error",
    ) -> None:
        super().__init__(message)
        self.message, self.code, self.param, self.kind = message, code, param, kind

    def body(self, event_id: str | None = None) -> Json:
        """The `error` object in the order of the wire; what is absent is null."""
        return {
            "type": self.kind,
            "code": self.code,
            "message": self.message,
            "param": self.param,
            "event_id": event_id,
        }


class Fatal(ClientError):
    """An error after which the service closes the connection."""

    def __init__(self, message: str, code: str, close: int, kind: str = "invalid_request_error"):
        super().__init__(message, code, kind=kind)
        self.close = close

    @property
    def reason(self) -> str:
        """The reason of the close frame: the error's type and code."""
        return f"{self.kind}.{self.code}"


def missing_event_type() -> ClientError:
    """A client event without a type."""
    return ClientError("The 'type' field is missing.", "invalid_event")


def not_an_event(what: str) -> ClientError:
    """A frame that is no client event; `what` says why."""
    return ClientError(f"Could not parse the event: {what}", "invalid_event")


def unknown_event_type(name: str) -> ClientError:
    """A type that no client event has."""
    return ClientError(f"Unknown event type: '{name}'.", "invalid_event", "type")


def active_response(response_id: str) -> ClientError:
    """A second response while one is being generated."""
    return ClientError(
        f"Conversation already has an active response in progress: {response_id}. "
        "Wait until the response is finished before creating a new one.",
        "conversation_already_has_active_response",
    )


def nothing_to_cancel() -> ClientError:
    """A cancellation too late, or of a response that is none."""
    return ClientError(
        "Cancellation failed: no active response found", "response_cancel_not_active"
    )


def buffer_too_small(held_ms: float) -> ClientError:
    """A commit of less than 100 ms."""
    return ClientError(
        "Error committing input audio buffer: buffer too small. "
        f"Expected at least 100ms of audio, but buffer only has {held_ms:.2f}ms of audio.",
        "input_audio_buffer_commit_empty",
    )


def bad_audio() -> ClientError:
    """Appended audio that is not base64."""
    return ClientError(
        "Invalid 'audio'. Expected base64-encoded audio bytes but got an invalid value.",
        "invalid_value",
        "audio.audio",
    )


def no_such_item(verb: str, item_id: str) -> ClientError:
    """An id that names no item; `verb` is `truncate`, `delete` or `retrieve`."""
    doing = {"truncate": "truncating", "delete": "deleting", "retrieve": "retrieving"}[verb]
    return ClientError(
        f"Error {doing} item: the item with id '{item_id}' does not exist.",
        f"item_{verb}_invalid_item_id",
    )


def no_such_predecessor(item_id: str) -> ClientError:
    """An item to be placed after one that does not exist."""
    return ClientError(
        f"Error adding item: the previous item with id '{item_id}' does not exist.",
        "item_create_invalid_previous_item_id",
    )


def item_exists(item_id: str) -> ClientError:
    """An item with an id that is taken."""
    return ClientError(
        f"Error adding item: an item with id '{item_id}' already exists.",
        "item_create_duplicate_item_id",
    )


def no_such_call(call_id: str) -> ClientError:
    """A function's output for a call that the conversation does not have."""
    return ClientError(
        f"Tool call ID '{call_id}' not found in conversation.", "invalid_tool_call_id"
    )


def already_shorter(held_ms: int, wanted_ms: int) -> ClientError:
    """A truncation beyond the end of the audio."""
    return ClientError(
        f"Audio content of {held_ms}ms is already shorter than {wanted_ms}ms", "invalid_value"
    )


def not_truncatable() -> ClientError:
    """A truncation of anything but the assistant's audio."""
    return ClientError("Only model output audio messages can be truncated")


def voice_is_fixed() -> ClientError:
    """Another voice after the assistant has spoken."""
    return ClientError(
        "Cannot update a conversation's voice if assistant audio is present.",
        "cannot_update_voice",
    )


def context_too_long(tokens: int, limit: int) -> ClientError:
    """A context that does not fit while truncation is disabled."""
    return ClientError(
        f"The conversation has {tokens} tokens, more than the {limit} that fit, and truncation "
        "is disabled.",
        "context_length_exceeded",
    )


def bad_key(key: str) -> Fatal:
    """A key that is unknown or has expired; it is shown masked."""
    masked = f"{key[:3]}{'*' * 8}{key[-4:]}" if len(key) > 12 else "*" * 8
    return Fatal(f"Incorrect API key provided: {masked}.", "invalid_api_key", 3000)


def no_such_model(model: str) -> Fatal:
    """A model that is unknown or not allowed."""
    return Fatal(
        f"The model `{model}` does not exist or you do not have access to it.",
        "model_not_found",
        4004,
    )


def beta_is_off() -> Fatal:
    """The beta dialect where it is not served."""
    return Fatal(
        "The beta shape of the Realtime API is not served. Connect without the beta header.",
        "beta_api_shape_disabled",
        4000,
    )


def no_credit() -> Fatal:
    """An account without credit."""
    return Fatal(
        "You have no credits remaining. Add credits to continue using the API.",
        "credit_balance_exhausted",
        1013,
        "insufficient_quota",
    )


def expired(minutes: int) -> Fatal:
    """A session at the end of its life."""
    return Fatal(
        f"Your session hit the maximum duration of {minutes} minutes.", "session_expired", 1001
    )
