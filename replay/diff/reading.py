"""A tape as units to compare: whole messages, streams joined from their pieces."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple

from recorder.events import Sender
from recorder.heads import Close, RequestHead, ResponseHead, header
from recorder.providers.base import Provider
from recorder.recording import Moment, Sound
from replay.diff.clips import Clip, clip
from replay.diff.differences import Span
from replay.match.jsontext import Json, Number, parse
from replay.match.requests import body_value, request_value, target_value
from replay.match.rulebook import Rulebook
from replay.match.rules import Path
from replay.match.sound import short_piece

_HTTP = ("http.request", "http.response", "webhook.request", "webhook.response")
_SKIPPED = ("ws.ping", "ws.pong", "note")


class Lane(NamedTuple):
    """A sequence of its own: what comes between its units and those of other lanes depends on
    timing. `channel` names a socket, `http`, or a type of webhook; `type` is empty but for types
    whose place in a sequence is not fixed, and for streamed audio."""

    channel: str
    sender: Sender
    type: str = ""


class Unit(NamedTuple):
    """A message, or a stream. `rules` is the type that rules know it by. `clip` is its audio, at
    `clip_path` of the message."""

    lane: Lane
    type: str
    rules: str
    span: Span
    at_ns: int
    value: Json
    clip: Clip | None = None
    clip_path: Path = ()
    is_http: bool = False


@dataclass
class _Draft:
    lane: Lane
    type: str
    first: int
    last: int
    at_ns: int
    value: Json
    rules: str = ""
    path: Path = ()  # of the piece, where it is a stream
    text: list[str] = field(default_factory=list)
    audio: list[bytes] = field(default_factory=list)
    sounds: tuple[Sound, ...] = ()
    is_stream: bool = False

    def unit(self) -> Unit | None:
        """None if it is streamed audio and nothing but silence."""
        text, found = "".join(self.text), None
        if self.audio:
            is_streamed = self.is_stream and self.lane.sender == "client"
            found = clip(self.sounds, b"".join(self.audio), is_condensed=is_streamed)
            if is_streamed and not found.content and not text:
                return None
        if self.is_stream and self.path:
            _put(self.value, self.path, text)
        span = Span(self.first, self.last)
        lane, type_, rules = self.lane, self.type, self.rules
        return Unit(lane, type_, rules, span, self.at_ns, self.value, found, self.path)


def _put(value: Json, path: Path, text: str) -> None:
    *way, last = path
    for key in way:
        value = value.setdefault(key, {})
    value[last] = text


@dataclass
class _Exchange:
    """The heads and bodies of one HTTP exchange."""

    request: RequestHead | None = None
    response: ResponseHead | None = None
    asked: Moment | None = None
    answered: Moment | None = None
    bodies: dict[Sender, list[bytes]] = field(default_factory=dict)

    def body(self, sender: Sender) -> bytes:
        return b"".join(self.bodies.get(sender, []))


class Reader:
    """Folds the moments of one tape, in order, into units."""

    def __init__(self, provider: Provider) -> None:
        self._rules = provider.RULES
        self._book = Rulebook(self._rules)
        self._drafts: list[_Draft] = []
        self._streams: dict[tuple[str, int, Sender], _Draft] = {}
        self._exchanges: dict[int, _Exchange] = {}
        self._sockets: dict[int, str] = {}
        self._counts: dict[str, int] = {}
        self._closed: set[int] = set()
        self._keys: dict[tuple[str, tuple[str, ...]], list[str]] = {}

    def take(self, moment: Moment) -> None:
        """The next event."""
        row = moment.row
        if row.kind in _SKIPPED or row.sender == "recorder" or row.channel in self._closed:
            return
        if row.kind == "ws.open":
            self._opened(moment)
        elif row.kind in _HTTP:
            self._head(moment)
        elif row.kind == "http.chunk":
            exchange = self._exchanges.setdefault(row.channel, _Exchange())
            exchange.bodies.setdefault(row.sender, []).append(moment.event().body)
        elif row.kind == "ws.close":
            self._closed.add(row.channel)
            close = Close.decode(moment.lifted)
            self._add(moment, "close", {"code": Number(close.code), "reason": close.reason})
        elif row.kind == "ws.binary":
            self._binary(moment)
        elif row.type not in self._rules.optional:
            self._text(moment)

    def units(self) -> list[Unit]:
        """All units, in the order of their first events."""
        made = [unit for draft in self._drafts if (unit := draft.unit())]
        made += (unit for each in self._exchanges.values() for unit in _exchanged(each))
        return sorted(made, key=lambda unit: unit.span)

    def _opened(self, moment: Moment) -> None:
        row = moment.row
        if row.sender == "client":
            head = RequestHead.decode(moment.lifted)
            name = row.type.removeprefix("GET ") or "socket"  # without the ids that a path may have
            count = self._counts[name] = self._counts.get(name, 0) + 1
            self._sockets[row.channel] = name if count == 1 else f"{name} #{count}"
            names: list[Json] = [name.partition(".")[0] for name in head.subprotocols]
            value = {**_split(target_value(head)), "subprotocols": names}
            self._add(moment, "open", value).rules = "ws.open"
            return
        answer = ResponseHead.decode(moment.lifted)
        value = {"status": Number(answer.status), "subprotocol": answer.subprotocol}
        if answer.status != 101:
            self._exchanges[row.channel] = _Exchange(response=answer, answered=moment)
            return
        self._add(moment, "open", value)

    def _head(self, moment: Moment) -> None:
        row = moment.row
        exchange = self._exchanges.setdefault(row.channel, _Exchange())
        if row.kind.endswith("request"):
            exchange.request, exchange.asked = RequestHead.decode(moment.lifted), moment
        else:
            exchange.response, exchange.answered = ResponseHead.decode(moment.lifted), moment

    def _add(self, moment: Moment, type_: str, value: Json, lane: str = "") -> _Draft:
        row = moment.row
        socket = self._sockets.get(row.channel, "socket")
        place = Lane(socket, row.sender, lane)
        draft = _Draft(place, type_, row.seq, row.seq, row.at_ns, value)
        self._drafts.append(draft)
        return draft

    def _binary(self, moment: Moment) -> None:
        row = moment.row
        if not moment.sounds:
            digest = sha256(moment.lifted).hexdigest()
            size = Number(len(moment.lifted))
            self._add(moment, row.type or "binary", {"bytes": size, "sha256": digest})
            return
        draft = self._join(moment, "", {})
        draft.audio += (span.data for span in moment.spans)

    def _text(self, moment: Moment) -> None:
        row, rules = moment.row, self._rules
        if row.type in rules.deltas and self._piece(moment):
            return
        try:
            message = parse(moment.lifted)
        except ValueError:
            text = moment.lifted.decode("utf-8", "backslashreplace")
            self._add(moment, row.type or "text", text)
            return
        if row.sender == "client" and row.type in rules.cuts:
            self._streams = {
                key: each
                for key, each in self._streams.items()
                if key[1:] != (row.channel, "client")
            }
        lane = row.type if row.type in rules.unordered else ""
        draft = self._add(moment, row.type or "message", message, lane)
        draft.rules = row.type
        draft.audio += (span.data for span in moment.spans)
        draft.sounds = moment.sounds

    def _piece(self, moment: Moment) -> bool:
        """Join a piece to its stream: the pieces whose messages are equal but for them."""
        row = moment.row
        try:
            message = json.loads(row.body or moment.lifted)
        except (ValueError, RecursionError):
            return False
        if not isinstance(message, dict):
            return False
        path = tuple(self._rules.deltas[row.type].split("."))
        holder = message
        for key in path[:-1]:
            holder = holder.get(key, {}) if isinstance(holder, dict) else {}
        piece = holder.pop(path[-1], "") if isinstance(holder, dict) else ""
        keys = self._telling(row.type, tuple(message))
        shared = repr((keys, [message[key] for key in keys]))
        draft = self._join(moment, shared, None)
        if draft.value is None:
            draft.value = parse(json.dumps(message).encode())
            draft.path, draft.rules = path, row.type
        audio: Iterable[bytes] = (span.data for span in moment.spans)
        text = piece if isinstance(piece, str) else json.dumps(piece)
        if text and (draft.audio or row.type in self._rules.ungated):
            text, short = short_piece(text)
            audio = (*audio, short) if short else audio
        draft.text.append(text)
        draft.audio += audio
        return True

    def _telling(self, type_: str, keys: tuple[str, ...]) -> list[str]:
        """The keys of a piece that tell its stream: an id of the piece's own says nothing."""
        found = self._keys.get((type_, keys))
        if found is None:
            root = self._book.root(type_)
            found = [key for key in sorted(keys) if not root.down(key).is_volatile]
            self._keys[type_, keys] = found
        return found

    def _join(self, moment: Moment, shared: str, value: Json) -> _Draft:
        """The stream of a piece: begun here, unless one with the same `shared` is under way."""
        row = moment.row
        name = (row.type + shared, row.channel, row.sender)
        draft = self._streams.get(name)
        if draft is None:
            is_ungated = row.sender == "client" and row.type in self._rules.ungated
            is_apart = is_ungated or row.type in self._rules.unordered
            draft = self._add(moment, row.type, value, row.type if is_apart else "")
            draft.is_stream, draft.sounds = True, moment.sounds
            self._streams[name] = draft
        draft.last = row.seq
        draft.sounds = draft.sounds or moment.sounds
        return draft


def _split(value: dict[str, Json]) -> dict[str, Json]:
    """A path by its parts, which may be ids."""
    return {**value, "path": value["path"].split("/")}


def _exchanged(each: _Exchange) -> Iterator[Unit]:
    asked, answered = each.asked, each.answered
    if asked is not None and each.request is not None:
        sender = asked.row.sender
        value = _split(request_value(each.request, each.body(sender)))
        lane = _http_lane(asked, asked)
        if asked.row.kind == "webhook.request":
            del value["path"]  # an address of the recorder
        yield _http_unit(asked, asked, lane, value)
    if answered is not None and each.response is not None:
        value = {"status": Number(each.response.status)}
        value["body"] = body_value(each.response.headers, each.body(answered.row.sender))
        location = header(each.response.headers, "location")
        if location:
            value["location"] = location.split("/")
        asking = asked or answered
        yield _http_unit(asking, answered, _http_lane(asking, answered), value)


def _http_lane(asked: Moment, moment: Moment) -> Lane:
    is_webhook = asked.row.kind == "webhook.request"
    name = f"webhook {asked.row.type}" if is_webhook else "http"
    return Lane(name, moment.row.sender)


def _http_unit(asked: Moment, moment: Moment, lane: Lane, value: Json) -> Unit:
    """A request, or an answer, which goes by the type of what it answers."""
    row, type_ = moment.row, asked.row.type
    name = type_ if moment is asked else f"answer to {type_}"
    span = Span(row.seq, row.seq)
    return Unit(lane, name, type_, span, row.at_ns, value, is_http=True)
