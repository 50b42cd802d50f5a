"""The HTTP side: WebRTC sessions and their forks, decisions about SIP calls, hanging up."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import NamedTuple

from recorder.heads import RequestHead, ResponseHead
from replay.simulators.openai import credentials, sdp
from replay.simulators.openai.errors import ClientError, Json, json_object
from replay.simulators.openai.schema import number, record, string
from replay.simulators.openai_live import errors, session
from replay.simulators.openai_live.account import Account

_REASONS = {200: "OK", 201: "Created", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found"}
_SESSIONS = re.compile(r"/live/sessions/([^/]+)/([a-z]+)\Z")
_STATUS = record({"status_code": number(300, 699, whole=True)}, ("status_code",))
_TARGET = record({"target_uri": string()}, ("target_uri",))


class Answer(NamedTuple):
    """An HTTP response."""

    status: int
    body: bytes = b""

    def head(self, seed: tuple[str, str]) -> ResponseHead:
        """Its head, with a header that tells the seed."""
        kind = (("content-type", "application/json"),) if self.body else ()
        return ResponseHead(self.status, _REASONS[self.status], (*kind, seed))


def refusal(status: int, error: ClientError) -> Answer:
    """An error as the HTTP side says it."""
    return _json(status, {"error": errors.body(error, None)})


def no_such_url(head: RequestHead) -> Answer:
    """A path or method that the service does not have."""
    told = f"Invalid URL ({head.method} {head.path})"
    return refusal(404, ClientError(told, "unknown_url"))


def unauthorised() -> Answer:
    """A request without a key."""
    told = "No API key was given. Send it as a bearer token."
    return refusal(401, ClientError(told, "invalid_api_key"))


def handle(account: Account, head: RequestHead, payload: bytes, now: int) -> Answer:
    """Answer one request."""
    if credentials.key(head) is None:
        return unauthorised()
    path = head.path.rstrip("/")
    try:
        if head.method == "POST" and path.endswith("/live/sessions"):
            return _create(account, _body(payload), now)
        found = _SESSIONS.search(path)
        if found and head.method == "POST" and found[2] in _ROUTES:
            return _ROUTES[found[2]](account, found[1], _body(payload), now)
    except ClientError as error:
        return refusal(400, error)
    return no_such_url(head)


def _json(status: int, value: Json) -> Answer:
    return Answer(status, json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))


def _body(payload: bytes) -> Json:
    try:
        return json_object(payload or b"{}")
    except ValueError as problem:
        raise ClientError(
            f"The body of the request cannot be used: {problem}.", "invalid_value"
        ) from problem


def _offer(body: Json) -> str:
    transport = body.get("transport")
    if not isinstance(transport, dict) or not isinstance(transport.get("sdp"), str):
        place = "transport.sdp"
        raise ClientError(
            f"Missing required parameter: '{place}'.", "missing_required_parameter", place
        )
    return str(transport["sdp"])


def _create(account: Account, body: Json, now: int) -> Answer:
    """A session by WebRTC; it starts at once."""
    answer = sdp.answer(_offer(body), account.mint, now)
    asked = body.get("session", {})
    made = session.opened(asked, account.new_id(), account.expires_at(now), has_media=True)
    return _placed(account, made, answer, now)


def _placed(account: Account, made: Json, answer: str, now: int) -> Answer:
    account.open(made, now, primary=None).talk.begin()
    transport = {"type": "webrtc", "sdp": answer}
    return _json(201, {"session": {"id": made["id"]}, "transport": transport})


def _fork(account: Account, name: str, body: Json, now: int) -> Answer:
    parent = account.stored.get(name)
    if parent is None:
        return refusal(404, errors.not_stored(name))
    answer = sdp.answer(_offer(body), account.mint, now)
    asked, made = body.get("session", {}), account.new_id()
    expires_at = account.expires_at(now)
    child = session.forked(parent, asked, made, expires_at, has_media=True)
    return _placed(account, child, answer, now)


def _accept(account: Account, name: str, body: Json, now: int) -> Answer:
    """Calls ring elsewhere, so that any id that looks like one is known."""
    if not name.startswith("live_"):
        return refusal(404, errors.no_such_session(name))
    if name in account.lines:
        told = "The call was accepted or rejected before."
        return refusal(400, ClientError(told, "decision_already_made"))
    asked = body.get("session", {})
    made = session.opened(asked, name, account.expires_at(now), has_media=True)
    account.open(made, now, primary=None).talk.begin()
    return Answer(200)


def _reject(account: Account, name: str, body: Json, now: int) -> Answer:
    _STATUS(body, "")
    if name in account.lines:
        told = "The call was accepted or rejected before."
        return refusal(400, ClientError(told, "decision_already_made"))
    return Answer(200)


def _refer(account: Account, name: str, body: Json, now: int) -> Answer:
    _TARGET(body, "")
    return _hangup(account, name, {}, now)


def _hangup(account: Account, name: str, body: Json, now: int) -> Answer:
    line = account.lines.get(name)
    if line is None:
        return refusal(404, errors.no_such_session(name))
    line.talk.end("close_requested")
    return Answer(200)


_ROUTES: dict[str, Callable[[Account, str, Json, int], Answer]] = {
    "fork": _fork,
    "accept": _accept,
    "reject": _reject,
    "refer": _refer,
    "hangup": _hangup,
}
