"""The `assistant-request`: a call without an assistant asks the organisation's server for one."""

from __future__ import annotations

import json
from collections.abc import Callable

from replay.simulators.vapi import shapes
from replay.simulators.vapi.account import Account
from replay.simulators.vapi.call import Call
from replay.simulators.vapi.courier import Reply
from replay.simulators.vapi.errors import Json, Refusal
from replay.simulators.vapi.schema import checked, record
from replay.simulators.vapi.stage import Stage

_TIMEOUT_S = 7.5
_PREFIX = "assistant-request-"
_KNOWN = ("assistantId", "assistant", "assistantOverrides")
_ANSWER = record({"assistant": shapes.ASSISTANT}, is_open=True)


def ask(
    stage: Stage,
    decided: Callable[[int], None],
    failed: Callable[[str, int], None],
    now: int,
) -> None:
    """Ask; then `decided`, with the assistant in the call, or `failed` with an ended reason."""
    account, call = stage.account, stage.call

    def answered(reply: Reply, at: int) -> None:
        if not call.live:
            return
        problem = _take(account, call, reply)
        if problem is None:
            decided(at)
        else:
            failed(_PREFIX + problem, at)

    stage.request("assistant-request", now, {}, answered=answered, timeout_s=_TIMEOUT_S)


def _take(account: Account, call: Call, reply: Reply) -> str | None:
    """Put the answer into the call; what is wrong with it, if anything is."""
    body: Json | None = None
    if reply.accepted:
        try:
            body = json.loads(reply.body)
        except ValueError:
            body = None
    if not isinstance(body, dict):
        told = reply.body.decode("utf-8", "replace")
        return _debug(call, "failed", f"The server answered {reply.status}: {told[:200]}", None)
    if body.get("error"):
        return _debug(call, "returned-error", str(body["error"]), body)
    if body.get("assistantId") is None and body.get("assistant") is None:
        return _debug(call, "returned-no-assistant", "No assistant was returned.", body)
    try:
        checked(_ANSWER, body)
        asked = {key: body[key] for key in _KNOWN if body.get(key) is not None}
        call.assistant = account.resolve(asked)
    except Refusal as refusal:
        told = f"Invalid Assistant. Errors: {refusal.message}"
        return _debug(call, "returned-invalid-assistant", told, body)
    call.asked = {**call.asked, **asked}
    return None


def _debug(call: Call, problem: str, error: str, body: Json | None) -> str:
    call.debugging = {
        "error": "Couldn't Get Assistant.",
        "assistantRequestError": error,
        "assistantRequestResponse": body,
    }
    return problem
