"""HAR files with WebSocket messages, as Chrome and Playwright write them.

A socket's messages are `_webSocketMessages` of its entry, `{type, time, opcode, data}`: text as it
is, binary data as base64; Chrome's `time` is seconds since 1970, Playwright's milliseconds.
Playwright can instead keep them as JSON lines in a file that `response.content._file` names,
beside the HAR or in the same zip.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from recorder.capture.importers.conversation import Conversation, Source, Take
from recorder.capture.importers.document import load
from recorder.capture.importers.exchange import Exchange, request_head
from recorder.capture.importers.har_body import bytes_of, messages_of, payload
from recorder.errors import ImportFailed
from recorder.events import Kind, Sender
from recorder.heads import Close, Headers, RequestHead, ResponseHead, header
from recorder.providers.base import Provider, Route

NAME = "har"
TITLE = "HAR with WebSocket messages (Chrome, Playwright), .har or .zip"

_REALTIME = re.compile(r"/realtime(?:/|$)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECONDS = 10**11  # a `time` above this many seconds since 1970 is in milliseconds
_BEFORE_ANSWER = ("blocked", "dns", "connect", "send", "wait")
_CLOSE = 8  # the opcode
_NO_CODE = 1005  # the code of a close frame without one
_SENDERS: dict[str, Sender] = {"send": "client", "receive": "provider"}
_KINDS: dict[int, Kind] = {1: "ws.text", 2: "ws.binary", 9: "ws.ping", 10: "ws.pong"}
_BAD = (ValueError, TypeError, KeyError, AttributeError, OverflowError)


@dataclass
class _Entry:
    """One entry of the log: a socket or an HTTP exchange."""

    number: int
    raw: Mapping[str, Any]
    head: RequestHead
    answer: ResponseHead | None
    host: str
    start_ns: int
    is_socket: bool


class _Timed(NamedTuple):
    """What happened on one channel, at nanoseconds since 1970."""

    entry: _Entry
    takes: list[Take]


def read(source: Source, provider: Provider) -> Sequence[Conversation]:
    """A conversation per socket; what belongs to one call is one; other REST traffic is one.

    Taken are sockets and exchanges with the provider's host, or with a part `realtime` in their
    path; where there are none, every socket.
    """
    document = load(source)
    log = document.get("log") if isinstance(document, dict) else None
    entries = log.get("entries") if isinstance(log, dict) else None
    if not isinstance(entries, list):
        raise ImportFailed(f'{source.name} has no "log" with "entries": it is no HAR')
    found = [_checked(source, number, raw) for number, raw in enumerate(entries, 1)]
    wanted = [entry for entry in found if _concerns(entry, provider)]
    wanted = wanted or [entry for entry in found if entry.is_socket]
    if not wanted:
        raise ImportFailed(
            f"{source.name} has no WebSocket and no request to {provider.TITLE}: "
            "record the page again with its network log kept (nothing was imported)"
        )
    groups: dict[object, list[_Timed]] = {}
    for entry in wanted:
        groups.setdefault(_place(entry, provider), []).append(_timed(source, entry))
    return [_conversation(group, provider) for group in groups.values()]


def _checked(source: Source, number: int, raw: Any) -> _Entry:
    try:
        return _entry(number, raw)
    except _BAD as error:
        raise _broken(source, number, error) from None


def _broken(source: Source, number: int, error: Exception) -> ImportFailed:
    what = f"no {error}" if isinstance(error, KeyError) else error
    return ImportFailed(
        f"{source.name} entry {number}: {what}; export it again (nothing was imported)"
    )


def _entry(number: int, raw: Mapping[str, Any]) -> _Entry:
    request, response = raw["request"], raw.get("response") or {}
    head = request_head(request["method"], request["url"], _headers(request.get("headers")))
    status = response.get("status") or 0
    answer = None
    if status > 0:
        headers = _headers(response.get("headers"))
        chosen = header(headers, "sec-websocket-protocol")
        answer = ResponseHead(status, response.get("statusText") or "", headers, chosen)
    url = urlsplit(request["url"])
    socket = url.scheme in ("ws", "wss") or raw.get("_resourceType") == "websocket"
    return _Entry(
        number,
        raw,
        head,
        answer,
        url.hostname or "",
        _moment(raw["startedDateTime"]),
        socket or "_webSocketMessages" in raw,
    )


def _headers(headers: Sequence[Mapping[str, Any]] | None) -> Headers:
    """Names and values in order, without the pseudo-headers of HTTP/2."""
    pairs = ((str(each["name"]), str(each["value"])) for each in headers or ())
    return tuple(pair for pair in pairs if not pair[0].startswith(":"))


def _moment(text: str) -> int:
    """Nanoseconds since 1970 of an ISO 8601 date-time; without a zone it is UTC."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000


def _concerns(entry: _Entry, provider: Provider) -> bool:
    ours = entry.host == urlsplit(provider.UPSTREAM).hostname
    return ours or _REALTIME.search(entry.head.path) is not None


def _place(entry: _Entry, provider: Provider) -> object:
    """What entries of one conversation have in common."""
    key = _call(entry, provider)
    if key is not None:
        return key
    return entry.number if entry.is_socket else None


def _call(entry: _Entry, provider: Provider) -> str | None:
    """The id of the call that an entry belongs to."""
    key = _route(entry, provider).key
    if key is None and entry.answer is not None:
        key = provider.correlate(entry.head, entry.answer)
    return key


def _route(entry: _Entry, provider: Provider) -> Route:
    """The route of an entry; a HAR may lack the headers that tell an upgrade."""
    head = entry.head
    if entry.is_socket and header(head.headers, "upgrade") is None:
        head = replace(head, headers=(*head.headers, ("Upgrade", "websocket")))
    return provider.route(head)


def _timed(source: Source, entry: _Entry) -> _Timed:
    try:
        takes = _socket(source, entry) if entry.is_socket else _exchange(source, entry)
        return _Timed(entry, takes)
    except _BAD as error:
        raise _broken(source, entry.number, error) from None


def _conversation(group: list[_Timed], provider: Provider) -> Conversation:
    group = sorted(group, key=lambda timed: timed.entry.start_ns)
    conversation = Conversation(wall_ns=group[0].entry.start_ns)
    start = group[0].entry.start_ns
    facts: dict[str, str] = {}
    for entry, takes in group:
        number = conversation.channel("ws" if entry.is_socket else "http", entry.head.path)
        for take in takes:
            at_ns = max(take.at_ns - start, 0)
            conversation.takes.append(take._replace(at_ns=at_ns, channel=number))
        known = {"external_id": _call(entry, provider), "model": _route(entry, provider).model}
        facts |= {name: fact for name, fact in known.items() if fact}
    conversation.takes.sort(key=lambda take: take.at_ns)
    conversation.facts = facts
    return conversation


def _exchange(source: Source, entry: _Entry) -> list[Take]:
    answered = _answered_ns(entry.raw)
    ended = max(round(max(float(entry.raw.get("time") or 0), 0) * 1e6), answered)
    sent = bytes_of(source, entry.raw["request"].get("postData"))
    received = bytes_of(source, entry.raw["response"].get("content")) if entry.answer else b""
    exchange = Exchange(entry.head, sent, entry.answer, received, 0, answered, ended)
    return list(exchange.takes(0, entry.start_ns))


def _answered_ns(raw: Mapping[str, Any]) -> int:
    """How long the answer's head took; a phase that did not happen is -1."""
    timings = raw.get("timings") or {}
    phases = (timings.get(name) or 0 for name in _BEFORE_ANSWER)
    return round(sum(max(float(phase), 0) for phase in phases) * 1e6)


def _socket(source: Source, entry: _Entry) -> list[Take]:
    start, head = entry.start_ns, entry.head
    name = f"{head.method} {head.path}"
    messages = list(_messages(source, entry))
    takes = [Take(start, 0, "client", "ws.open", name, head.encode())]
    if entry.answer is not None:
        answered = start + _answered_ns(entry.raw)
        if messages:
            answered = max(min(answered, messages[0].at_ns), start)
        status = str(entry.answer.status)
        takes.append(Take(answered, 0, "provider", "ws.open", status, entry.answer.encode()))
    return takes + messages


def _messages(source: Source, entry: _Entry) -> Iterator[Take]:
    at_ns = entry.start_ns
    for number, message in enumerate(messages_of(source, entry.raw), 1):
        try:
            at_ns = max(at_ns, _since_1970(float(message["time"])))
            yield _message(at_ns, message)
        except _BAD as error:
            what = f"no {error}" if isinstance(error, KeyError) else error
            raise ValueError(f"message {number}: {what}") from None


def _since_1970(time: float) -> int:
    return round(time * (1e6 if time > _MILLISECONDS else 1e9))


def _message(at_ns: int, message: Mapping[str, Any]) -> Take:
    data, opcode = message.get("data") or "", int(message["opcode"])
    sender = _SENDERS.get(message["type"])
    if sender is None or opcode < 0:  # Chrome tells a failed connection as a message
        return Take(at_ns, 0, "recorder", "note", "error", data.encode())
    if opcode == _CLOSE:
        return Take(at_ns, 0, sender, "ws.close", str(_NO_CODE), Close(_NO_CODE).encode())
    kind = _KINDS.get(opcode)
    if kind is None:
        raise ValueError(f"opcode {opcode} is no message")
    return Take(at_ns, 0, sender, kind, "", payload(kind, data))
