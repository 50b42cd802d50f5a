"""Vapi's deliveries to the server of an assistant: what they are, and how they are to come here.

The body is `{"message": {"type", "call": {"id"}, …}}`; a few (simulation hooks) are not wrapped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from recorder.heads import RequestHead
from recorder.providers.base import Delivery, Edit
from recorder.providers.vapi.places import Path, Place, content, places, shown, text
from recorder.providers.vapi.routing import UUID, is_creation
from recorder.providers.vapi.signatures import signature, signed

__all__ = ["acknowledgement", "addressed", "read", "signature", "signed"]

_ASSISTANT = re.compile(rf"/assistant(?:/{UUID})?/?\Z")


def read(body: bytes) -> Delivery:
    """Its type and the id of its call."""
    message = unwrapped(body)
    name, call = message.get("type"), message.get("call")
    key = call.get("id") if isinstance(call, dict) else None
    return Delivery(
        name if isinstance(name, str) and name.isprintable() else "",
        key.lower() if isinstance(key, str) and key else None,
    )


def unwrapped(body: bytes) -> Mapping[str, Any]:
    """The message of a delivery, without its wrapping; empty if it is none."""
    try:
        whole = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    message = whole.get("message") if isinstance(whole, dict) else None
    if isinstance(message, dict):
        return message
    return whole if isinstance(whole, dict) else {}


def acknowledgement(delivery: Delivery) -> bytes:
    """An empty object: no assistant, no destination, no result of a tool."""
    return b"{}"


def addressed(request: RequestHead, body: bytes, url: str) -> Sequence[Edit]:
    """`server.url` of the assistant that a request makes, changes or calls.

    A call of a stored assistant gets it by `assistantOverrides`, which are merged. A PATCH replaces
    `server` whole, so it is changed only where the request has one; squads and workflows are left
    as they are.
    """
    is_assistant = _ASSISTANT.match(request.path) and request.method in ("POST", "PATCH")
    if is_assistant:
        return _server(body, (), url, add=request.method == "POST")
    if not is_creation(request):
        return ()
    asked = _object(body, ())
    if isinstance(asked.get("assistant"), dict):
        return _server(body, ("assistant",), url, add=True)
    if not isinstance(asked.get("assistantId"), str):
        return ()
    if isinstance(asked.get("assistantOverrides"), dict):
        return _server(body, ("assistantOverrides",), url, add=True)
    if "assistantOverrides" in asked:
        return ()
    root = next(places(body, 1))
    whole = {"assistantOverrides": {"server": {"url": url}}}
    return (_added(root, body, whole, ("assistantOverrides", "server", "url")),)


def _object(body: bytes, path: tuple[str, ...]) -> Mapping[str, Any]:
    """The object at a path of a JSON text; empty if there is none."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _server(body: bytes, path: tuple[str, ...], url: str, *, add: bool) -> Sequence[Edit]:
    """What sets `server.url` (or `serverUrl`, as it was called until 2024) of an assistant."""
    assistant = _object(body, path)
    found = {place.path: place for place in places(body, 4)}
    for names in (("server", "url"), ("serverUrl",)):
        place = found.get((*path, *names))
        if place is not None and place.kind == "string":
            _, where, start, end = place
            return (Edit(start, end, content(url), shown(where), text(body, start, end)),)
    where = (*path, "server", "url")
    if isinstance(server := assistant.get("server"), dict) and "url" not in server:
        return (_added(found[(*path, "server")], body, {"url": url}, where),)
    if add and path in found and "server" not in assistant and "serverUrl" not in assistant:
        return (_added(found[path], body, {"server": {"url": url}}, where),)
    return ()


def _added(place: Place, body: bytes, fields: Mapping[str, Any], where: Path) -> Edit:
    """The edit that puts fields first into an object."""
    inside = json.dumps(fields, separators=(",", ":"))[1:-1]
    is_empty = body[place.start :].lstrip()[:1] == b"}"
    return Edit(place.start, place.end, inside.encode() + b","[is_empty:], shown(where))
