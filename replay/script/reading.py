"""Reads a tape into a script: pure, one pass in order, then channel by channel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from recorder.events import Event
from recorder.heads import LOST, Close, RequestHead, ResponseHead
from recorder.providers.base import Provider
from replay.match.ids import ids_in, mentioned, strings_in
from replay.match.jsontext import parse
from replay.match.rulebook import Rulebook
from replay.match.sound import Sound
from replay.match.stretch import Stretches
from replay.script.deliveries import Post, Releases
from replay.script.seen import NS, SLACK_NS, Looker, Seen, whole_bodies
from replay.script.steps import (
    Chunk,
    ExchangeScript,
    Expected,
    Planned,
    Script,
    SocketScript,
)


def read_script(events: Iterable[Event], provider: Provider, book: Rulebook) -> Script:
    """The script of a tape, given as its events in order. Notes, pings and pongs, and what came
    after a channel's close, are left out."""
    channels: dict[int, list[Seen]] = {}
    texts: list[Event] = []  # in which ids may stand
    looker = Looker(provider.tracker(), book)
    post = Post(book)
    length_ns = 0
    for event in events:
        length_ns = event.at_ns
        if event.kind == "note":
            post.remark(event)
        if event.sender != "recorder" and event.kind not in ("ws.ping", "ws.pong", "note"):
            seen = looker.look(event)
            channels.setdefault(event.channel, []).append(seen)
            post.take(seen)
            if event.kind == "ws.text" and not (seen.has_audio and _has_no_ids(event, book)):
                texts.append(event)
    minted = _minted(texts, book)
    sockets: list[SocketScript] = []
    exchanges: list[ExchangeScript] = []
    for channel in channels.values():
        if channel[0].event.kind.startswith("ws."):
            sockets.extend(_Builder(book, minted, post.releases).build(channel))
        elif channel[0].event.kind == "http.request":
            exchanges.extend(_exchange(channel, post))
    deliveries = post.scripts(channels)
    return Script(tuple(sockets), tuple(exchanges), minted, length_ns, deliveries)


def _has_no_ids(event: Event, book: Rulebook) -> bool:
    """Whether ids are not looked for in a message with audio."""
    return event.sender == "provider" or event.type in book.rules.ungated


def _minted(texts: Sequence[Event], book: Rulebook) -> frozenset[str]:
    """The ids that a client message said before any provider message did; `texts` in order."""
    own = {event.seq: frozenset(_client_ids(event, book)) for event in texts}
    undecided = set().union(*own.values()) if own else set()
    minted: set[str] = set()
    for event in texts:
        if not undecided:
            break
        if event.sender == "client":
            minted |= own[event.seq] & undecided
            undecided -= own[event.seq]
        else:
            undecided.difference_update(strings_in(event.body))
    return frozenset(minted)


def _client_ids(event: Event, book: Rulebook) -> Iterator[str]:
    if event.sender != "client" or event.type in book.rules.ungated:
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
    releases: Releases
    expected: list[Expected] = field(default_factory=list)
    planned: list[Planned] = field(default_factory=list)
    request: RequestHead | None = None
    answer: ResponseHead | None = None
    refusal: bytes = b""
    gap_ns: int = 0
    audio: int = 0
    byte_rate: int = 0
    stretches: Stretches = field(default_factory=Stretches)
    closed: Event | None = None
    opened_ns: int = 0
    gated_ns: int = 0  # the last expected message
    sent_ns: int = 0  # the last provider message
    loud: int = 0
    caused_loud: int = 0  # sound up to the last message that it caused
    loud_end: int = 0  # audio up to the last sound
    heard_ns: int = 0  # the last audio
    progress_audio: int = 0  # audio up to the last message of either side
    chunks: list[Chunk] = field(default_factory=list)
    gates: tuple[int, int] = (-1, -1)  # what the last provider message waited for

    def build(self, channel: Sequence[Seen]) -> Iterator[SocketScript]:
        """The script, unless the upgrade was never answered."""
        self.opened_ns = self.gated_ns = self.sent_ns = channel[0].event.at_ns
        for seen in channel:
            if self.closed:
                break
            self._take(seen)
        if self.request and not self.answer and not self.planned:
            return
        last_ns = max(self.gated_ns, self.sent_ns)
        self._end_audio()
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
            self.closed.seq if self.closed else None,
            channel[0].event.at_ns,
            channel[-1].event.at_ns,
            self.stretches.all(),
            tuple(self.chunks),
            self._hung_up(),
        )

    def _end_audio(self) -> None:
        """The last stretch is whole if the client hung up, and was not merely lost."""
        self.stretches.cut(self.closed.seq if self.closed else 0, is_whole=self._hung_up())

    def _hung_up(self) -> bool:
        closed = self.closed
        if closed is None or closed.sender != "client":
            return False
        return Close.decode(closed.body).code != LOST

    def _take(self, seen: Seen) -> None:
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
        self.chunks.append(
            Chunk(event.seq, event.kind, event.body, sound.size, sound.loud, sound.tail)
        )
        self.stretches.hear(event.seq, sound)
        self.byte_rate = sound.byte_rate or self.byte_rate
        self.heard_ns = event.at_ns
        if sound.loud:
            self.loud_end = self.audio - sound.tail

    def _expect(self, event: Event) -> None:
        if event.type in self.book.rules.cuts:
            self.stretches.cut(event.seq)
        allow = self._allow(event.at_ns, max(self.gated_ns, self.sent_ns))
        self.expected.append(
            Expected(event.seq, event.kind, event.type, event.body, allow, event.at_ns)
        )
        self.gated_ns, self.progress_audio = event.at_ns, self.audio

    def _plan(self, event: Event, has_audio: bool = False) -> None:
        rules = self.book.rules
        causes = [self.sent_ns, self.releases.before(event.seq)]
        after = loud = trail = 0
        if event.type not in rules.unprompted:
            after = len(self.expected)
            causes.append(self.gated_ns)
        more = self.loud - self.caused_loud
        if event.type in rules.heard or (rules.is_paced and more):
            loud = self.loud - min(more // 10, self.byte_rate * SLACK_NS // NS)
            self.caused_loud = self.loud
            trail = self.audio - self.loud_end
            causes.append(self.heard_ns)
        names: tuple[str, ...] = ()
        if self.minted and event.kind == "ws.text" and not has_audio:
            names = mentioned(event.body, self.minted, self.book, event.type)
        allow = self._allow(event.at_ns, max(self.gated_ns, self.sent_ns))
        gap = max(0, event.at_ns - max(causes))
        gates = (after, self.releases.count(event.seq))
        follows = gates == self.gates and not loud and not names and event.kind != "ws.close"
        self.gates = gates
        self.planned.append(
            Planned(
                event.seq,
                event.kind,
                event.type,
                event.body,
                after,
                loud,
                trail,
                gap,
                allow,
                names,
                event.at_ns,
                self.loud,
                follows,
            )
        )
        self.sent_ns, self.progress_audio = event.at_ns, self.audio

    def _allow(self, at_ns: int, since_ns: int) -> int:
        streamed = self.audio - self.progress_audio
        length = streamed * NS // self.byte_rate if self.byte_rate else 0
        return max(at_ns - since_ns, length)


def _exchange(channel: Sequence[Seen], post: Post) -> Iterator[ExchangeScript]:
    """The exchange of a channel, unless it was never answered."""
    events = [seen.event for seen in channel]
    response = next((event for event in events if event.kind == "http.response"), None)
    if response is None:
        return
    bodies = whole_bodies(channel)
    ends = {"client": events[0].at_ns, "provider": response.at_ns}
    for event in events:
        if event.kind == "http.chunk":
            ends[event.sender] = event.at_ns
    answered_ns = 0
    if not post.book.tolerates(events[0].type):
        answered_ns = post.answered_ns(events[0].seq, events[-1].seq)
    yield ExchangeScript(
        events[0].channel,
        events[0].seq,
        events[-1].seq,
        events[0].type,
        RequestHead.decode(events[0].body),
        bodies.get("client", b""),
        ResponseHead.decode(response.body),
        bodies.get("provider", b""),
        max(0, ends["provider"] - max(ends["client"], answered_ns)),
        events[0].at_ns,
        events[-1].at_ns,
    )
