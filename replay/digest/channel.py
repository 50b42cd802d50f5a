"""One channel of a tape, gathered into sequences of plain messages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple

from recorder.audio.silence import Form, condensed
from recorder.events import Event
from recorder.heads import Close, RequestHead, ResponseHead, header
from recorder.providers.base import Provider
from replay.digest.plain import plain
from replay.digest.stencil import Stencil, stencil_of
from replay.match.jsontext import Json, canonical, parse
from replay.match.requests import body_value, request_value, target_value
from replay.match.rulebook import Rulebook
from replay.match.sound import short_piece

_STREAMED = "streamed"
_HEADS = ("ws.open", "http.request", "http.response", "webhook.request", "webhook.response")
_ASKED = ("ws.open", "client")


class Lifted(NamedTuple):
    """The body of an event without its `audio`, which is coded as `form`."""

    body: bytes
    audio: bytes = b""
    form: Form | None = None


class Sequenced(NamedTuple):
    """Messages in order: of one sender, or of `both`."""

    sender: str
    lane: str
    values: list[Json]


@dataclass
class _Entry:
    """A message, or a stream joined from its pieces (`text` and `audio`)."""

    sender: str
    lane: str
    value: Json
    text: list[str] | None = None
    audio: bytearray = field(default_factory=bytearray)
    form: Form | None = None

    def hear(self, piece: Lifted) -> None:
        """Add the next piece's audio. The latest form holds: the first pieces may have come before
        the provider told how they are coded."""
        self.audio += piece.audio
        self.form = piece.form or self.form


class Channel:
    """Gathers the events of one channel up to its close.

    `keys` are the ids of calls that an answer told.
    """

    def __init__(self, book: Rulebook, *, order: bool) -> None:
        self.keys: list[str] = []
        self.is_webhook = False
        self._book, self._order = book, order
        self._rules = book.rules
        self._entries: list[_Entry] = []
        self._streams: dict[tuple[str, str], _Entry] = {}
        self._stencils: dict[tuple[str, str], Stencil] = {}  # of the latest piece of audio
        self._heads: list[Event] = []
        self._bodies: dict[str, bytes] = {"client": b"", "provider": b""}
        self._closed = False

    def take(self, event: Event, lifted: Lifted) -> None:
        """Add one event."""
        if self._closed:
            return
        if event.kind in _HEADS:
            self._heads.append(event)
            self.is_webhook |= event.kind == "webhook.request"
        elif event.kind == "http.chunk":
            self._bodies[event.sender] += event.body
        elif event.kind == "ws.close":
            self._closed = True
            close = Close.decode(event.body)
            self._add(event, "", {"close": str(close.code), "reason": close.reason})
        elif event.kind == "ws.binary" and lifted.audio:
            self._join(event, "", {"binary": event.type}).hear(lifted)
        elif event.kind == "ws.binary":
            self._add(event, "", {"binary": sha256(event.body).hexdigest()})
        elif event.type not in self._rules.optional:
            self._text(event, lifted)

    def _add(self, event: Event, lane: str, value: Json) -> _Entry:
        entry = _Entry(event.sender, lane, value)
        self._entries.append(entry)
        return entry

    def _text(self, event: Event, lifted: Lifted) -> None:
        rules, type_, (body, audio, _) = self._rules, event.type, lifted
        stencil = self._stencils.get((event.sender, type_)) if audio else None
        if stencil and stencil.fits(body):
            self._join(event, stencil.shared, stencil.value).hear(lifted)
            return
        try:
            message = parse(body)
        except ValueError:
            self._add(event, "", {"text": body.decode("utf-8", "backslashreplace")})
            return
        if type_ in rules.deltas and isinstance(message, dict):
            self._piece(event, message, lifted)
            return
        if event.sender == "client" and type_ in rules.cuts:
            self._streams = {key: each for key, each in self._streams.items() if key[0] != "client"}
            self._add(event, _STREAMED, {"cut": True})
        value = plain(self._book.root(type_), message, rules.constants)
        if audio:
            value = {"message": value, "audio": sha256(audio).hexdigest()}
        self._add(event, type_ if type_ in rules.unordered else "", value)

    def _piece(self, event: Event, message: dict[str, Json], lifted: Lifted) -> None:
        """Join a piece to its stream: the pieces whose messages are equal but for them."""
        rules, type_ = self._rules, event.type
        root = self._book.root(type_)
        *way, last = rules.deltas[type_].split(".")
        holder: Json = message
        for key in way:
            holder = holder.get(key) if isinstance(holder, dict) else None
        piece = holder.pop(last, "") if isinstance(holder, dict) else ""
        # an id of the piece's own says nothing once they are joined
        own = [key for key in message if root.down(key).is_volatile]
        shared = {key: each for key, each in message.items() if key not in own}
        name, value = canonical(shared), plain(root, shared, rules.constants)
        entry = self._join(event, name, value)
        stencil = stencil_of(lifted.body, [message[key] for key in own], name, value)
        if stencil and not piece:
            self._stencils[event.sender, type_] = stencil
        assert entry.text is not None
        text = piece if isinstance(piece, str) else canonical(piece)
        if text and (entry.audio or type_ in rules.ungated):
            text, short = short_piece(text)  # too short to be lifted, in a stream of audio
            lifted = lifted._replace(audio=short)
        entry.text.append(text)
        entry.hear(lifted)

    def _join(self, event: Event, shared: str, value: Json) -> _Entry:
        """The stream of a piece: begun here, unless one with the same `shared` is under way."""
        name = (event.sender, event.type + shared)
        entry = self._streams.get(name)
        if entry is None or (self._order and entry is not self._entries[-1]):
            lane = event.type if event.type in self._rules.unordered else ""
            if event.sender == "client" and event.type in self._rules.ungated:
                lane = _STREAMED
            entry = self._streams[name] = self._add(event, lane, value)
            entry.text = []
        return entry

    def finish(self, provider: Provider) -> None:
        """Add the heads and bodies of HTTP, and make one message of each stream."""
        whole = self._entries
        self._entries = []
        request: RequestHead | None = None
        for event in self._heads:
            if event.kind.endswith("request") or (event.kind, event.sender) == _ASKED:
                request = RequestHead.decode(event.body)
                self._add(event, "", self._request(event, request))
                continue
            response = ResponseHead.decode(event.body)
            body = self._bodies[event.sender]
            key = provider.correlate(request, response, body) if request else None
            self.keys += [key] if key else []
            self._add(event, "", self._response(response, body))
        self._entries += (entry for entry in whole if self._settle(entry))

    def _settle(self, entry: _Entry) -> bool:
        """Make one message of a stream; False if it is streamed audio and nothing but silence."""
        if entry.text is None:
            return True
        audio, text = bytes(entry.audio), "".join(entry.text)
        if entry.lane == _STREAMED:
            audio = condensed(audio, entry.form or Form())
            if not audio and not text:
                return False
        entry.value = {"stream": entry.value, "text": text, "audio": sha256(audio).hexdigest()}
        return True

    def _request(self, event: Event, head: RequestHead) -> Json:
        if event.kind == "webhook.request":  # the path is an address of the recorder
            return self._http(request_value(head, self._bodies["provider"]), None)
        if event.kind == "http.request":
            return self._http(request_value(head, self._bodies["client"]), head.path)
        names = [name.partition(".")[0] for name in head.subprotocols]
        return self._http({**target_value(head), "subprotocols": names}, head.path)

    def _response(self, head: ResponseHead, body: bytes) -> Json:
        value: dict[str, Json] = {"status": str(head.status), "subprotocol": head.subprotocol}
        if head.status != 101:
            kind = header(head.headers, "content-type") or ""
            value["type"] = kind.partition(";")[0].strip().lower()
            value["body"] = body_value(head.headers, body)
        return self._http(value, header(head.headers, "location"))

    def _http(self, value: dict[str, Json], path: str | None) -> Json:
        """Bodies follow the rules as messages do; the parts of a path may be ids."""
        root, constants = self._book.root(""), self._rules.constants
        body = plain(root, value.pop("body", None), constants)
        value["path"] = path.split("/") if path else None
        return {**plain(root, value, constants), "body": body}

    def sequences(self) -> Iterator[Sequenced]:
        """The sequences of this channel, none of them empty."""
        if self._order:
            values = [{"from": entry.sender, "message": entry.value} for entry in self._entries]
            yield Sequenced("both", "", values)
            return
        for sender in ("provider", "client"):
            own = [entry for entry in self._entries if entry.sender == sender]
            for lane in sorted({entry.lane for entry in own}):
                values = [entry.value for entry in own if entry.lane == lane]
                yield Sequenced(sender, lane, values)
