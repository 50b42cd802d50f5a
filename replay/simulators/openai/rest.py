"""The HTTP side: client secrets, and calls by WebRTC and SIP."""

from __future__ import annotations

import email
import email.policy
import json
from collections.abc import Callable
from typing import NamedTuple

from recorder.heads import RequestHead, ResponseHead, header
from replay.simulators.openai import beta, credentials, errors, sdp, session
from replay.simulators.openai.account import Account, Secret
from replay.simulators.openai.errors import ClientError, Json, json_object
from replay.simulators.openai.schema import number, record, string
from replay.simulators.openai.shapes import (
    BETA_SESSION,
    BETA_TRANSCRIPTION_SESSION,
    SESSION,
)

_SECRET_S = 600
_BETA_SECRET_S = 60
_REASONS = {200: "OK", 201: "Created", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found"}

_EXPIRY = record({"anchor": string(), "seconds": number(10, 7200, whole=True)})
_SECRET_REQUEST = record({"expires_after": _EXPIRY, "session": SESSION})


class Answer(NamedTuple):
    """An HTTP response."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = (("content-type", "application/json"),)

    def head(self, request_id: str) -> ResponseHead:
        fixed = (("openai-version", "2020-10-01"), ("x-request-id", f"req_{request_id}"))
        return ResponseHead(self.status, _REASONS[self.status], (*self.headers, *fixed))


def _json(status: int, value: Json) -> Answer:
    return Answer(status, json.dumps(value, ensure_ascii=False, indent=2).encode())


def refusal(status: int, error: ClientError) -> Answer:
    """An error as the HTTP side says it."""
    body = {name: value for name, value in error.body().items() if name != "event_id"}
    return _json(status, {"error": body})


def unauthorised() -> Answer:
    """A request without a key."""
    return refusal(401, ClientError("No API key was given. Send it as a bearer token.", None))


def no_such_call(call_id: str) -> Answer:
    """A call that is unknown or over."""
    error = ClientError(f"No call found with id '{call_id}'.", "call_not_found", "call_id")
    return refusal(404, error)


def handle(account: Account, head: RequestHead, payload: bytes, now: int) -> Answer:
    """Answer one request."""
    key = credentials.key(head)
    if key is None:
        return unauthorised()
    if not account.admits(key, now):
        return refusal(401, errors.bad_key(key))
    try:
        return _routed(account, head, payload, now)
    except ClientError as error:
        return refusal(400, error)


def no_such_url(head: RequestHead) -> Answer:
    """A path or method that the service does not have."""
    error = ClientError(f"Invalid URL ({head.method} {head.path})", "unknown_url")
    return refusal(404, error)


def _routed(account: Account, head: RequestHead, payload: bytes, now: int) -> Answer:
    if head.method == "POST":
        for ending, route in _ROUTES.items():
            if head.path.endswith(ending):
                return route(account, head, payload, now)
        call_id, _, verb = head.path.rpartition("/realtime/calls/")[2].partition("/")
        if verb in _CALL_ROUTES:
            return _CALL_ROUTES[verb](account, call_id, payload, now)
    return no_such_url(head)


def _parsed(payload: bytes) -> Json:
    try:
        return json_object(payload or b"{}")
    except ValueError as problem:
        raise ClientError(f"The body of the request cannot be used: {problem}.") from problem


def _client_secret(account: Account, head: RequestHead, payload: bytes, now: int) -> Answer:
    wish = _parsed(payload)
    _SECRET_REQUEST(wish, "")
    asked = wish.get("session", {"type": "realtime"})
    seconds = wish.get("expires_after", {}).get("seconds", _SECRET_S)
    config = _configured(account, asked, now)
    value, secret = _issue(account, config, seconds, now)
    shown = {**config, "expires_at": 0}
    return _json(200, {"value": value, "expires_at": secret.expires_at, "session": shown})


def _configured(
    account: Account, asked: Json, now: int, model: str | None = None, session_id: str | None = None
) -> Json:
    """A new session with checked settings."""
    chosen = asked.get("model") or model or account.options.model
    fresh = account.new_session(asked.get("type", "realtime"), chosen, now, session_id)
    return session.merged(fresh, asked)


def _issue(account: Account, config: Json, seconds: int, now: int) -> tuple[str, Secret]:
    value = f"ek_{account.mint.noise(32)}"
    secret = account.secrets[value] = Secret(account.wall_s(now) + seconds, config)
    return value, secret


def _beta_session(account: Account, head: RequestHead, payload: bytes, now: int) -> Answer:
    flat = _parsed(payload)
    BETA_SESSION(flat, "")
    return _beta_secret(account, "session.update", flat, now)


def _beta_transcription(account: Account, head: RequestHead, payload: bytes, now: int) -> Answer:
    flat = _parsed(payload)
    BETA_TRANSCRIPTION_SESSION(flat, "")
    return _beta_secret(account, "transcription_session.update", flat, now)


def _beta_secret(account: Account, type_: str, flat: Json, now: int) -> Answer:
    asked = beta.to_ga({"type": type_, "session": flat})["session"]
    config = _configured(account, asked, now)
    value, secret = _issue(account, config, _BETA_SECRET_S, now)
    shown = beta.flat_session(config)
    shown["client_secret"] = {"value": value, "expires_at": secret.expires_at}
    return _json(200, shown)


def _create_call(account: Account, head: RequestHead, payload: bytes, now: int) -> Answer:
    """A WebRTC offer, raw with the session of its secret, or as a form with a session."""
    offer, asked = _call_form(header(head.headers, "content-type") or "", payload)
    answer = sdp.answer(offer, account.mint, now)
    tail = account.mint.tail(now)
    session_id, call_id = f"sess_u0_{tail}", f"rtc_u0_{tail}"
    secret = account.secrets.get(credentials.key(head) or "")
    if asked is None and secret is not None:
        expires_at = account.wall_s(now) + account.options.session_s
        config = {**secret.session, "id": session_id, "expires_at": expires_at}
    else:
        asked = asked or {"type": "realtime"}
        config = _configured(account, asked, now, credentials.model(head), session_id)
    account.start_call(config, call_id, now)
    headers = (
        ("content-type", "text/plain; charset=utf-8"),
        ("location", f"/v1/realtime/calls/{call_id}"),
        ("access-control-expose-headers", "Location, X-Request-Id"),
    )
    return Answer(201, answer.encode(), headers)


def _call_form(content_type: str, payload: bytes) -> tuple[str, Json | None]:
    """The SDP offer and, if it came as a form with one, the checked session."""
    if not content_type.startswith("multipart/form-data"):
        return payload.decode("utf-8", "replace"), None
    framed = b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + payload
    form = email.message_from_bytes(framed, policy=email.policy.HTTP)
    parts: dict[str, bytes] = {}
    for part in form.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            parts[name] = content
    if "sdp" not in parts:
        raise ClientError("Missing required parameter: 'sdp'.", "missing_required_parameter", "sdp")
    if "session" not in parts:
        return parts["sdp"].decode("utf-8", "replace"), None
    asked = _parsed(parts["session"])
    SESSION(asked, "session")
    return parts["sdp"].decode("utf-8", "replace"), asked


def _accept(account: Account, call_id: str, payload: bytes, now: int) -> Answer:
    """A SIP call is accepted: calls ring elsewhere, so any id that looks like one is known."""
    if not call_id.startswith("rtc_"):
        return no_such_call(call_id)
    asked = _parsed(payload)
    SESSION(asked, "session")
    session_id = f"sess_{call_id.removeprefix('rtc_')}"
    if call_id not in account.calls:
        config = _configured(account, asked, now, session_id=session_id)
        account.start_call(config, call_id, now)
    return Answer(200, b"", ())


def _hangup(account: Account, call_id: str, payload: bytes, now: int) -> Answer:
    return Answer(200, b"", ()) if account.end_call(call_id) else no_such_call(call_id)


def _reject(account: Account, call_id: str, payload: bytes, now: int) -> Answer:
    record({"status_code": number(300, 699, whole=True)})(_parsed(payload), "")
    if not call_id.startswith("rtc_") or call_id in account.calls:
        return no_such_call(call_id)
    return Answer(200, b"", ())


def _refer(account: Account, call_id: str, payload: bytes, now: int) -> Answer:
    record({"target_uri": string()}, ("target_uri",))(_parsed(payload), "")
    return _hangup(account, call_id, payload, now)


_Route = Callable[[Account, RequestHead, bytes, int], Answer]
_ROUTES: dict[str, _Route] = {
    "/realtime/client_secrets": _client_secret,
    "/realtime/sessions": _beta_session,
    "/realtimeapi/sessions": _beta_session,
    "/realtime/transcription_sessions": _beta_transcription,
    "/realtime/calls": _create_call,
}
_CALL_ROUTES: dict[str, Callable[[Account, str, bytes, int], Answer]] = {
    "accept": _accept,
    "reject": _reject,
    "refer": _refer,
    "hangup": _hangup,
}
