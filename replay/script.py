"""A tape as a script: what the client has to send, and what the provider sends in answer to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from recorder.events import Event, Kind
from recorder.heads import RequestHead, ResponseHead
from recorder.providers.base import Provider, Tracker
from replay.match.ids import ids_in, mentioned, strings_in
from replay.match.jsontext import parse
from replay.match.rulebook import Rulebook
from replay.match.sound import Sound, measure

_NS = 1_000_000_000
_SLACK_NS = _NS // 10  # sound that may be missing before a message that waits for it


class Expected(NamedTuple):
    """A client message that provider messages wait for.

    `seq` is its number on the tape; `allow_ns` how long the client of the tape needed for it:
    the time since the message before, or the length of the audio sent since, if that is longer.
    """

    seq: int
    kind: Kind
    type: str
    body: bytes
    allow_ns: int


class Planned(NamedTuple):
    """A provider message (or its close).

    It waits until the first `after` expected messages have come, and until `loud` bytes of sound
    and then `trail` bytes of any audio were streamed (or as long as these last); then `gap_ns`,
    the time on the tape since the latest of these and the message before.
    `names` are the ids in it that the client of the tape made.
    """

    seq: int
    kind: Kind
    type: str
    body: bytes
    after: int
    loud: int
    trail: int
    gap_ns: int
    allow_ns: int
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class SocketScript:
    """One WebSocket. `request` is None where the tape does not tell how it was opened; `audio` is
    all that the client streamed (bytes, of which `byte_rate` make a second); `allow_ns` is how
    long it took from the last message to the close."""

    channel: int
    seq: int
    request: RequestHead | None
    answer: ResponseHead
    refusal: bytes
    gap_ns: int
    expected: tuple[Expected, ...]
    planned: tuple[Planned, ...]
    audio: int
    byte_rate: int
    allow_ns: int
    at_ns: int
    end_ns: int


@dataclass(frozen=True)
class ExchangeScript:
    """One HTTP exchange; `gap_ns` is from the end of the request to the end of the answer."""

    channel: int
    seq: int
    request: RequestHead
    sent: bytes
    response: ResponseHead
    received: bytes
    gap_ns: int
    at_ns: int
    end_ns: int


@dataclass(frozen=True)
class Script:
    """The provider's side of a tape. `minted` are the ids that its client made."""

    sockets: tuple[SocketScript, ...]
    exchanges: tuple[ExchangeScript, ...]
    minted: frozenset[str]
    length_ns: int


def read_script(events: Iterable[Event], provider: Provider, book: Rulebook) -> Script:
    """The script of a tape, given as its events in order. Notes, pings and pongs, and what came
    after a channel's close, are left out."""
    channels: dict[int, list[_Seen]] = {}
    tracker = provider.tracker()
    length_ns = 0
    for event in events:
        length_ns = event.at_ns
        if event.sender != "recorder" and event.kind not in ("ws.ping", "ws.pong", "note"):
            channels.setdefault(event.channel, []).append(_seen(event, tracker, book))
    minted = _mark_minted(channels.values(), book)
    sockets: list[SocketScript] = []
    exchanges: list[ExchangeScript] = []
    for seen in channels.values():
        if seen[0].event.kind.startswith("ws."):
            sockets.extend(_Builder(book, minted).build(seen))
        elif seen[0].event.kind == "http.request":
            exchanges.extend(_exchange(seen))
    return Script(tuple(sockets), tuple(exchanges), minted, length_ns)


class _Seen(NamedTuple):
    """An event with the audio that a client streamed in it; `has_audio`: or any other audio."""

    event: Event
    sound: Sound = Sound()
    has_audio: bool = False


def _seen(event: Event, tracker: Tracker, book: Rulebook) -> _Seen:
    if event.kind not in ("ws.text", "ws.binary"):
        return _Seen(event)
    _, _, _, channel, sender, kind, type_, body = event
    fields = tracker.inspect(channel, sender, kind, type_, body).audio
    is_streamed = sender == "client" and type_ in book.rules.ungated
    return _Seen(event, measure(body, fields) if is_streamed else Sound(), bool(fields))


def _mark_minted(channels: Iterable[Sequence[_Seen]], book: Rulebook) -> frozenset[str]:
    """The ids that a client message said before any provider message did."""
    seen = sorted(
        (each for channel in channels for each in channel), key=lambda each: each.event.seq
    )
    own = {id(each): frozenset(_client_ids(each.event, book)) for each in seen}
    undecided = set().union(*own.values()) if own else set()
    minted: set[str] = set()
    for each in seen:
        if not undecided:
            break
        if each.event.sender == "client":
            minted |= own[id(each)] & undecided
            undecided -= own[id(each)]
        elif each.event.kind == "ws.text" and not each.has_audio:
            undecided.difference_update(strings_in(each.event.body))
    return frozenset(minted)


def _client_ids(event: Event, book: Rulebook) -> Iterator[str]:
    is_message = event.sender == "client" and event.kind == "ws.text"
    if not is_message or event.type in book.rules.ungated:
        return
    try:
        message = parse(event.body)
    except ValueError:
        return  # not JSON, so without ids
    for _, name in ids_in(book.root(event.type), message, book.rules.constants):
        yield name


@dataclass
class _Builder:
    """Turns the events of one WebSocket into its script."""

    book: Rulebook
    minted: frozenset[str]
    expected: list[Expected] = field(default_factory=list)
    planned: list[Planned] = field(default_factory=list)
    request: RequestHead | None = None
    answer: ResponseHead | None = None
    refusal: bytes = b""
    gap_ns: int = 0
    audio: int = 0
    byte_rate: int = 0
    closed: Event | None = None
    opened_ns: int = 0
    gated_ns: int = 0  # the last expected message
    sent_ns: int = 0  # the last provider message
    loud: int = 0
    caused_loud: int = 0  # sound up to the last message that it caused
    loud_end: int = 0  # audio up to the last sound
    heard_ns: int = 0  # the last audio
    progress_audio: int = 0  # audio up to the last message of either side

    def build(self, channel: Sequence[_Seen]) -> Iterator[SocketScript]:
        """The script, unless the upgrade was never answered."""
        self.opened_ns = self.gated_ns = self.sent_ns = channel[0].event.at_ns
        for seen in channel:
            if self.closed:
                break
            self._take(seen)
        if self.request and not self.answer and not self.planned:
            return
        last_ns = max(self.gated_ns, self.sent_ns)
        yield SocketScript(
            channel[0].event.channel,
            channel[0].event.seq,
            self.request,
            self.answer or ResponseHead(101, "Switching Protocols"),
            self.refusal,
            self.gap_ns,
            tuple(self.expected),
            tuple(self.planned),
            self.audio,
            self.byte_rate,
            self._allow(self.closed.at_ns if self.closed else last_ns, last_ns),
            channel[0].event.at_ns,
            channel[-1].event.at_ns,
        )

    def _take(self, seen: _Seen) -> None:
        event = seen.event
        if event.kind == "ws.open":
            self._open(event)
        elif event.kind == "http.chunk":
            self.refusal += event.body
        elif event.kind == "ws.close":
            self.closed = event
            if event.sender == "provider":
                self._plan(event)
        elif event.sender == "provider":
            self._plan(event, has_audio=seen.has_audio)
        elif event.type in self.book.rules.ungated:
            self._hear(event, seen.sound)
        else:
            self._expect(event)

    def _open(self, event: Event) -> None:
        if event.sender == "client":
            self.request = RequestHead.decode(event.body)
        else:
            self.answer = ResponseHead.decode(event.body)
            self.gap_ns = event.at_ns - self.opened_ns
            self.gated_ns = self.sent_ns = event.at_ns

    def _hear(self, event: Event, sound: Sound) -> None:
        self.audio += sound.size
        self.loud += sound.loud
        self.byte_rate = sound.byte_rate or self.byte_rate
        self.heard_ns = event.at_ns
        if sound.loud:
            self.loud_end = self.audio - sound.tail

    def _expect(self, event: Event) -> None:
        allow = self._allow(event.at_ns, max(self.gated_ns, self.sent_ns))
        self.expected.append(Expected(event.seq, event.kind, event.type, event.body, allow))
        self.gated_ns, self.progress_audio = event.at_ns, self.audio

    def _plan(self, event: Event, has_audio: bool = False) -> None:
        rules = self.book.rules
        causes = [self.sent_ns]
        after = loud = trail = 0
        if event.type not in rules.unprompted:
            after = len(self.expected)
            causes.append(self.gated_ns)
        if event.type in rules.heard:
            more = self.loud - self.caused_loud
            loud = self.loud - min(more // 10, self.byte_rate * _SLACK_NS // _NS)
            self.caused_loud = self.loud
            trail = self.audio - self.loud_end
            causes.append(self.heard_ns)
        names: tuple[str, ...] = ()
        if self.minted and event.kind == "ws.text" and not has_audio:
            names = mentioned(event.body, self.minted, self.book, event.type)
        allow = self._allow(event.at_ns, max(self.gated_ns, self.sent_ns))
        gap = max(0, event.at_ns - max(causes))
        body = event.body
        self.planned.append(
            Planned(event.seq, event.kind, event.type, body, after, loud, trail, gap, allow, names)
        )
        self.sent_ns, self.progress_audio = event.at_ns, self.audio

    def _allow(self, at_ns: int, since_ns: int) -> int:
        streamed = self.audio - self.progress_audio
        length = streamed * _NS // self.byte_rate if self.byte_rate else 0
        return max(at_ns - since_ns, length)


def _exchange(channel: Sequence[_Seen]) -> Iterator[ExchangeScript]:
    """The exchange of a channel, unless it was never answered."""
    events = [seen.event for seen in channel]
    response = next((event for event in events if event.kind == "http.response"), None)
    if response is None:
        return
    bodies: dict[str, bytes] = {"client": b"", "provider": b""}
    ends = {"client": events[0].at_ns, "provider": response.at_ns}
    for event in events:
        if event.kind == "http.chunk":
            bodies[event.sender] += event.body
            ends[event.sender] = event.at_ns
    yield ExchangeScript(
        events[0].channel,
        events[0].seq,
        RequestHead.decode(events[0].body),
        bodies["client"],
        ResponseHead.decode(response.body),
        bodies["provider"],
        max(0, ends["provider"] - ends["client"]),
        events[0].at_ns,
        events[-1].at_ns,
    )
