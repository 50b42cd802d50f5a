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

_OVERRIDES = "assistantOverrides"
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

    A call of a stored assistant gets it by `assistantOverrides`, which are merged; so are those of
    an assistant in the request, whose `server` there would win. A PATCH replaces `server` whole, so
    it is changed only where the request has one; squads and workflows are left as they are, and so
    is what is no JSON object.
    """
    asked = _object(body)
    if asked is None:
        return ()
    if _ASSISTANT.match(request.path) and request.method in ("POST", "PATCH"):
        return _server(body, asked, (), url, add=request.method == "POST")
    if not is_creation(request):
        return ()
    overrides = asked.get(_OVERRIDES)
    if isinstance(assistant := asked.get("assistant"), dict):
        edits = list(_server(body, assistant, ("assistant",), url, add=True))
        if isinstance(overrides, dict):
            edits += _server(body, overrides, (_OVERRIDES,), url, add="server" in overrides)
        return sorted(edits)
    if not isinstance(asked.get("assistantId"), str):
        return ()
    if isinstance(overrides, dict):
        return _server(body, overrides, (_OVERRIDES,), url, add=True)
    found = {place.path: place for place in places(body, 4)}
    where, server = (_OVERRIDES, "server", "url"), {"server": {"url": url}}
    if _OVERRIDES not in asked:
        return (_added(found[()], body, {_OVERRIDES: server}, where),)
    return (_instead(found[(_OVERRIDES,)], server, where),) if overrides is None else ()


def _object(body: bytes) -> Mapping[str, Any] | None:
    """The object that a JSON text in UTF-8 is; None if it is none."""
    try:
        value = json.loads(body.decode())
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _server(
    body: bytes, assistant: Mapping[str, Any], path: tuple[str, ...], url: str, *, add: bool
) -> Sequence[Edit]:
    """What sets `server.url` (or `serverUrl`, as it was called until 2024) of an assistant."""
    found = {place.path: place for place in places(body, 4)}
    for names in (("server", "url"), ("serverUrl",)):
        place = found.get((*path, *names))
        if place is not None and place.kind == "string":
            _, where, start, end = place
            return (Edit(start, end, content(url), shown(where), text(body, start, end)),)
    where = (*path, "server", "url")
    server = assistant.get("server")
    if isinstance(server, dict) and "url" not in server:
        return (_added(found[(*path, "server")], body, {"url": url}, where),)
    if isinstance(server, dict):
        return (_instead(found[where], url, where),) if server["url"] is None else ()
    if add and "server" not in assistant:
        return (_added(found[path], body, {"server": {"url": url}}, where),)
    return (_instead(found[where[:-1]], {"url": url}, where),) if add and server is None else ()


def _instead(place: Place, value: object, where: Path) -> Edit:
    """The edit that puts a value in the place of a null."""
    made = json.dumps(value, separators=(",", ":"))
    return Edit(place.start, place.end, made.encode(), shown(where))


def _added(place: Place, body: bytes, fields: Mapping[str, Any], where: Path) -> Edit:
    """The edit that puts fields first into an object."""
    inside = json.dumps(fields, separators=(",", ":"))[1:-1]
    is_empty = body[place.start :].lstrip()[:1] == b"}"
    return Edit(place.start, place.end, inside.encode() + b","[is_empty:], shown(where))
