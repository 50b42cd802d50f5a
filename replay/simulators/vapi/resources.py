"""What can be created, listed, changed and deleted by the same rules: assistants, tools, and the
credentials that webhooks are signed with.

A PATCH is shallow: each given key replaces the stored one, a null stays as null, and a key that
was never set is absent (GET shows stored values only, no defaults).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from replay.simulators.vapi import schema, shapes
from replay.simulators.vapi.account import Account
from replay.simulators.vapi.courier import has_usable_key
from replay.simulators.vapi.errors import Answer, Json, Pinned, Refusal, answer, missing
from replay.simulators.vapi.ids import iso

_SECRETS = {"token", "secretKey"}


@dataclass(frozen=True)
class Kind:
    """One kind of resource: how it is called, where it is kept, what it may hold, how it is shown,
    and what forbids its deletion."""

    title: str
    store: Callable[[Account], dict[str, Json]]
    create: schema.Check
    update: schema.Check
    show: Callable[[Json], Json] = lambda stored: stored
    hold: Callable[[Account, str], None] = lambda account, key: None


def _assistant(stored: Json) -> Json:
    """Identity first, as the service shows it; the legacy secret is only told to be there."""
    secret = (stored.get("server") or {}).get("secret")
    is_set = bool(stored.get("serverUrlSecret") or secret)
    head = ("id", "orgId", "name", "voice", "createdAt", "updatedAt", "model", "firstMessage")
    first = {key: stored[key] for key in head if key in stored}
    rest = {key: value for key, value in stored.items() if key != "serverUrlSecret"}
    return {**first, **rest, "isServerUrlSecretSet": is_set}


def _credential(stored: Json) -> Json:
    plan = stored["authenticationPlan"]
    shown = {key: value for key, value in plan.items() if key not in _SECRETS}
    return {**stored, "authenticationPlan": shown}


def _assistant_in_use(account: Account, key: str) -> None:
    if any(call.live and call.asked.get("assistantId") == key for call in account.calls.values()):
        raise Pinned("assistant_pinned", "The assistant is used by a call that has not ended.")


def _tool_in_use(account: Account, key: str) -> None:
    for assistant in account.assistants.values():
        if key in ((assistant.get("model") or {}).get("toolIds") or ()):
            raise Pinned("tool_pinned", f"The tool is used by assistant {assistant['id']}.")


KINDS: Mapping[str, Kind] = {
    "assistant": Kind(
        "Assistant",
        lambda account: account.assistants,
        shapes.ASSISTANT,
        shapes.ASSISTANT,
        _assistant,
        _assistant_in_use,
    ),
    "tool": Kind(
        "Tool",
        lambda account: account.tools,
        shapes.TOOL,
        shapes.TOOL_UPDATE,
        hold=_tool_in_use,
    ),
    "credential": Kind(
        "Credential",
        lambda account: account.credentials,
        shapes.CREDENTIAL,
        shapes.CREDENTIAL_UPDATE,
        _credential,
    ),
}


def create(account: Account, kind: Kind, body: Any, now: int) -> Answer:
    """POST: 201 with the whole resource."""
    wish = schema.checked(kind.create, body)
    _check_key(wish)
    stamp = iso(account.wall_ms(now))
    key = account.mint.uuid4()
    stored = {"id": key, "orgId": account.org_id, "createdAt": stamp, "updatedAt": stamp, **wish}
    kind.store(account)[key] = stored
    return answer(kind.show(stored), 201)


def update(account: Account, kind: Kind, key: str, body: Any, now: int) -> Answer:
    """PATCH: the given keys replace the stored ones, whole."""
    stored = _found(account, kind, key)
    wish = schema.checked(kind.update, body)
    _check_key(wish)
    stored.update(wish)
    stored["updatedAt"] = iso(account.wall_ms(now))
    return answer(kind.show(stored))


def get(account: Account, kind: Kind, key: str) -> Answer:
    """GET of one."""
    return answer(kind.show(_found(account, kind, key)))


def listed(account: Account, kind: Kind, pick: Callable[[Sequence[Json]], list[Json]]) -> Answer:
    """GET of all that the query picks, newest first, as a bare array."""
    newest = list(reversed(kind.store(account).values()))
    return answer([kind.show(one) for one in pick(newest)])


def delete(account: Account, kind: Kind, key: str) -> Answer:
    """DELETE: what was deleted; 409 while others hold on to it."""
    stored = _found(account, kind, key)
    kind.hold(account, key)
    del kind.store(account)[key]
    return answer(kind.show(stored))


def _found(account: Account, kind: Kind, key: str) -> Json:
    found = kind.store(account).get(key)
    if found is None:
        raise missing(kind.title)
    return found


def _check_key(wish: Json) -> None:
    plan = wish.get("authenticationPlan")
    if plan and plan["type"] == "hmac" and not has_usable_key(plan):
        raise Refusal(400, ["authenticationPlan.secretKey must be base64 encoded"])
