"""What an event says, whatever carried it, as one line that is safe to print."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from recorder.counting import counted
from recorder.heads import Close, RequestHead, ResponseHead
from recorder.providers.base import Provider
from recorder.recording import Moment

_PLACE = "place"
_PREVIEW = 200  # characters of an HTTP body


def printable(text: str) -> str:
    """`text` on one line: white space joined, what a terminal might obey written as an escape."""
    line = " ".join(text.split())
    if line.isprintable():
        return line
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in line
    )


def clip(text: str, width: int) -> str:
    """`text` in at most `width` characters, an ellipsis where something is missing."""
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"


def utc(wall_ns: int) -> str:
    """A wall-clock time as ISO 8601 in UTC with milliseconds."""
    moment = datetime.fromtimestamp(wall_ns // 1_000_000_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{wall_ns // 1_000_000 % 1000:03}Z"


def seconds(ns: int) -> str:
    """A duration for people: `12.3 s`, or `1:02:03` from a minute on."""
    whole = ns // 1_000_000_000
    if whole < 60:
        return f"{ns / 1e9:.1f} s"
    hours, rest = divmod(whole, 3600)
    minutes = f"{rest // 60:02}:{rest % 60:02}"
    return f"{hours}:{minutes}" if hours else minutes


END_OF_BODY = "end of body"


def says(moment: Moment, provider: Provider | None) -> str:
    """What an event says, in a few words; ``""`` where its type says it all."""
    kind, type_, body = moment.row.kind, moment.row.type, moment.row.body
    message = json_object(body) if kind in _MAY_BE_KNOWN else None
    if message is not None and provider is not None:
        known = provider.describe(type_, message)
        if known or kind != "http.chunk":
            return known
    teller = _TELLERS.get(kind)
    if teller is not None:
        return "" if moment.sounds and not moment.lifted else teller(moment.lifted)
    if body is None:
        return counted(len(moment.row.raw or b""), "byte")
    if kind == "note":
        return _note(body)
    return "" if message is not None else body


def json_object(body: str | None) -> Mapping[str, Any] | None:
    """The JSON object that a body is, or None."""
    try:
        message = json.loads(body or "")
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, Mapping) else None


def _note(body: str) -> str:
    message = json_object(body)
    if message is None:
        return body
    replaced = message.get("replaced")
    if isinstance(replaced, list):
        return _replaced(replaced)
    told = {name: value for name, value in message.items() if value not in ("", None)}
    return ", ".join(f"{name} {_fact(value)}" for name, value in told.items())


def _replaced(links: Sequence[Any]) -> str:
    """Which links of an answer were rewritten; where each led is in the note itself."""
    names = [name for link in links if isinstance(link, Mapping) for name in link if name != _PLACE]
    return f"replaced {counted(len(names), 'URL')} ({', '.join(dict.fromkeys(names))})"


def _fact(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _request(body: bytes) -> str:
    head = RequestHead.decode(body)
    return f"{head.method} {head.path}" + (f"?{head.query}" if head.query else "")


def _response(body: bytes) -> str:
    head = ResponseHead.decode(body)
    return f"{head.status} {head.reason}".strip()


def _open(body: bytes) -> str:
    """The upgrade and its answer are both `ws.open`."""
    return _request(body) if b'"method":' in body else _response(body)


def _close(body: bytes) -> str:
    frame = Close.decode(body)
    return f"{frame.code} {frame.reason}".strip()


def _piece(body: bytes) -> str:
    """A piece of an HTTP body; the empty one ends it."""
    if not body:
        return END_OF_BODY
    try:
        return clip(body.decode(), _PREVIEW)
    except UnicodeDecodeError:
        return counted(len(body), "byte")


def _head(decode: Callable[[bytes], str]) -> Callable[[bytes], str]:
    """`decode`, and the text itself for a head of a shape that is not known here."""

    def tell(body: bytes) -> str:
        try:
            return decode(body)
        except (ValueError, KeyError, TypeError, AttributeError):
            return body.decode(errors="replace")

    return tell


_MAY_BE_KNOWN = frozenset({"ws.text", "http.chunk"})
_TELLERS: dict[str, Callable[[bytes], str]] = {
    "ws.open": _head(_open),
    "ws.close": _head(_close),
    "ws.ping": _piece,
    "ws.pong": _piece,
    "http.request": _head(_request),
    "http.response": _head(_response),
    "http.chunk": _piece,
    "webhook.request": _head(_request),
    "webhook.response": _head(_response),
}
