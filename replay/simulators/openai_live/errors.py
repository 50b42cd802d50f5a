"""What the service refuses, and in which words; codes are those of the reference where it has one.

Errors are `ClientError`s of the Realtime stand-in, but name the client's event `client_event_id`.
"""

from __future__ import annotations

from replay.simulators.openai.errors import ClientError, Json


def body(error: ClientError, event_id: str | None) -> Json:
    """The `error` object; a client's event without an id is not named."""
    told: Json = {"type": error.kind, "code": error.code, "message": error.message}
    told["param"] = error.param
    return told if event_id is None else {**told, "client_event_id": event_id}


def not_started() -> ClientError:
    """Anything before `session.started`."""
    return ClientError(
        "The first event is session.start; the next ones follow session.started.",
        "session_not_started",
        "type",
    )


def started_already() -> ClientError:
    """A second `session.start`, or one on a sideband."""
    return ClientError("The session has been started.", "session_already_started", "type")


def immutable(place: str) -> ClientError:
    """An update of what is fixed at the start."""
    return ClientError(f"{place} cannot be changed.", "immutable_field_update", place)


def invalid_audio(why: str) -> ClientError:
    """Audio that is no base64, or has half a sample."""
    return ClientError(f"The audio cannot be used: {why}.", "invalid_audio", "audio")


def only_primary() -> ClientError:
    """Audio from a sideband."""
    return ClientError("Only the primary connection sends audio.", "invalid_event", "type")


def only_call() -> ClientError:
    """A key of a telephone where there is none."""
    return ClientError("Keys are sent on SIP calls only.", "invalid_event", "type")


def too_long(tokens: int, most: int) -> ClientError:
    """An append of more text than is taken."""
    return ClientError(
        f"content has {tokens} tokens, at most {most} are taken.",
        "string_above_max_length",
        "content",
    )


def no_such_delegation(name: str) -> ClientError:
    """An append for work that was not given to the client."""
    return ClientError(f"No client delegation '{name}' is known.", "invalid_value", "delegation_id")


def closing() -> ClientError:
    """A command after `session.close`, or what it left undone."""
    return ClientError("The session is closing.", "session_closing")


def no_backend() -> ClientError:
    """Work for a backend that the session does not have."""
    return ClientError(
        "The session delegates to its client: it has no backend.", "invalid_event", "type"
    )


def fixture_is_playing() -> ClientError:
    """An append, or another fixture, while one plays."""
    return ClientError("A fixture is playing.", "fixture_playing", "type")


def no_output(call: str) -> ClientError:
    """The backend is to go on without a function's result (Responses API)."""
    return ClientError(f"No tool output found for function call {call}.", "invalid_value", "input")


def no_such_call(call: str) -> ClientError:
    """The result of a function that was not called (Responses API)."""
    return ClientError(
        f"No tool call found for function call output with call_id {call}.",
        "invalid_value",
        "item.call_id",
    )


def no_decisions() -> ClientError:
    """Decisions, which this stand-in does not make."""
    return ClientError(
        "This stand-in makes no decisions: delegate to client or responses.",
        "invalid_value",
        "session.delegation.type",
    )


def no_such_session(name: str) -> ClientError:
    """A session that is unknown or over (HTTP 404)."""
    return ClientError(f"No session found with id '{name}'.", "session_id_not_found")


def not_stored(name: str) -> ClientError:
    """A fork of a session that was not stored, or has not ended."""
    return ClientError(
        f"Session '{name}' cannot be forked: it must be stored and over.", "session_not_stored"
    )
