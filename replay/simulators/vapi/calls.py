"""REST for calls: create, list, get, rename, delete, and the redirects to what they left."""

from __future__ import annotations

import re
from collections.abc import Mapping

from replay.simulators.vapi import documents, ending, recording, shapes, sound
from replay.simulators.vapi.account import Account
from replay.simulators.vapi.call import Base, Call
from replay.simulators.vapi.errors import Answer, Json, Refusal, answer, missing
from replay.simulators.vapi.query import picker
from replay.simulators.vapi.schema import checked

_SOURCES = ("assistantId", "assistant", "squadId", "squad", "workflowId", "workflow")
_PHONES = ("phoneNumberId", "phoneNumber")
_NO_PHONE = "Couldn't Get Phone Number. Need Either `phoneNumberId` Or `phoneNumber`."
_STORED = re.compile(r"/storage/(?P<call>[0-9a-f-]{36})-\d+-[0-9a-f-]{36}-(?P<label>\w+)\.")
ARTIFACTS: Mapping[str, str] = {
    "mono-recording": "mono",
    "stereo-recording": "stereo",
    "customer-recording": "customer",
    "assistant-recording": "assistant",
    "call-logs": "log",
}


def create(account: Account, body: object, base: Base, now: int) -> Call:
    """A queued call on the WebSocket transport; its assistant is None if a server is to be asked.

    Refusal for what cannot be: no transport (there are no phones here), squads and workflows, more
    than one assistant, or more calls at once than the account has slots for."""
    asked = checked(shapes.CALL, body)
    transport = asked.get("transport") or {}
    if transport.get("provider") != "vapi.websocket":
        raise Refusal(400, _NO_PHONE)
    if any(asked.get(name) is not None for name in _PHONES):
        raise Refusal(400, "A websocket call has no phone number.")
    given = [name for name in _SOURCES if asked.get(name) is not None]
    if len(given) > 1:
        raise Refusal(400, f"Give only one of {', '.join(f'`{name}`' for name in _SOURCES)}.")
    if given and given[0] not in ("assistantId", "assistant"):
        raise Refusal(400, f"`{given[0]}` is not simulated; give `assistantId` or `assistant`.")
    if not given and account.options.server is None:
        raise Refusal(400, "Couldn't Get Assistant. Need Either `assistantId` Or `assistant`.")
    if account.live_calls >= account.options.concurrency:
        raise Refusal(400, "Over Concurrency Limit")
    return _made(account, asked, transport, base, now)


def _made(account: Account, asked: Json, transport: Json, base: Base, now: int) -> Call:
    form, written = sound.form(transport)
    ms = account.wall_ms(now)
    known = {key: one for key, one in transport.items() if key != "audioFormat"}
    call = Call(
        id=account.mint.uuid7(ms),
        org_id=account.org_id,
        created_ms=ms,
        base=base,
        asked=asked,
        form=form,
        transport={**known, "audioFormat": written},
        seed=f"{account.seed}/call/{len(account.calls)}",
    )
    if any(asked.get(name) is not None for name in ("assistantId", "assistant")):
        call.assistant = account.resolve(asked)
    account.calls[call.id] = call
    return call


def created(account: Account, call: Call) -> Answer:
    """The answer to the POST."""
    limit = account.options.concurrency
    limits = {
        "concurrencyBlocked": False,
        "concurrencyLimit": limit,
        "remainingConcurrentCalls": limit - account.live_calls,
    }
    return answer({"subscriptionLimits": limits, **documents.snapshot(call)}, 201)


def find(account: Account, key: str) -> Call:
    """A call that exists; Refusal otherwise."""
    found = account.calls.get(key)
    if found is None:
        raise missing("Call")
    return found


def listed(account: Account, query: str, now: int) -> Answer:
    """Those that the query picks, newest first, as a bare array."""
    pick = picker(query, ("id", "assistantId", "phoneNumberId"))
    newest = sorted(account.calls.values(), key=lambda call: (call.created_ms, call.id))
    heads = {call.id: call for call in reversed(newest)}
    picked = pick([documents.head(call) for call in heads.values()])
    ms = account.wall_ms(now)
    return answer([documents.shown(heads[one["id"]], ms) for one in picked])


def get(account: Account, key: str, now: int) -> Answer:
    """The call as it is known by now."""
    return answer(documents.shown(find(account, key), account.wall_ms(now)))


def update(account: Account, key: str, body: object, now: int) -> Answer:
    """Only the name can be changed."""
    call = find(account, key)
    wish = checked(shapes.CALL_UPDATE, body)
    if "name" in wish:
        call.name, call.updated_ms = wish["name"], account.wall_ms(now)
    return get(account, key, now)


def delete(account: Account, key: str, now: int) -> Answer:
    """The data of a call that has ended are erased."""
    shown = get(account, key, now)
    ending.deleted(account, account.calls.pop(key), now)
    return shown


def artifact(account: Account, key: str, name: str, now: int) -> Answer:
    """A redirect to where the file lies, with a signature; 404 before it exists."""
    call, kind = find(account, key), ARTIFACTS.get(name)
    there = call.has_log if kind == "log" else documents.has_recording(call)
    if kind is None or not there:
        raise missing("Artifact")
    place = documents.presigned(call, kind, account.wall_ms(now))
    return Answer(302, b"", (("location", place),))


def stored(account: Account, path: str, *, with_key: bool) -> Answer:
    """A file from the storage, which refuses a request that also carries the API's key."""
    if with_key:
        raise Refusal(400, "Only one authentication mechanism is allowed.")
    match = _STORED.match(path)
    call = account.calls.get(match["call"]) if match else None
    kinds = {label: kind for kind, (label, _) in documents.FILES.items()}
    kind = kinds.get(match["label"]) if match else None
    if call is None or kind is None or not documents.url(call, kind).endswith(path):
        raise missing("File")
    media, body = recording.content(call, kind)
    return Answer(200, body, (("content-type", media),))
