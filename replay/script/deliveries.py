"""The webhooks of a tape, with what was before each, and what waits for them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from recorder.events import Event
from recorder.heads import RequestHead, ResponseHead
from replay.match.rulebook import Rulebook
from replay.script.seen import NS, SLACK_NS, Seen, whole_bodies
from replay.script.steps import DeliveryScript


class Releases:
    """When what the messages of a socket wait for, beside its own, had come: webhooks, the answers
    that matter, and commands."""

    def __init__(self) -> None:
        self._seqs: list[int] = []
        self._times: list[int] = []

    def add(self, event: Event) -> None:
        """The next one, in order."""
        self._seqs.append(event.seq)
        self._times.append(event.at_ns)

    def count(self, seq: int) -> int:
        """How many were before an event."""
        return bisect_left(self._seqs, seq)

    def before(self, seq: int) -> int:
        """The time of the last one before an event; 0 if there is none."""
        at = bisect_left(self._seqs, seq)
        return self._times[at - 1] if at else 0


@dataclass
class _Heard:
    """What a client has streamed on one socket."""

    loud: int = 0
    byte_rate: int = 0


@dataclass
class _Begun:
    """A webhook, and how long after its latest cause it came."""

    gap_ns: int
    loud: Mapping[int, int]
    seq: int


_CUT = ("broken", "too_long")


@dataclass
class Post:
    """Follows a tape in order, then makes the scripts of its webhooks."""

    book: Rulebook
    releases: Releases = field(default_factory=Releases)
    _begun: dict[int, _Begun] = field(default_factory=dict)
    _types: dict[int, str] = field(default_factory=dict)  # of webhooks and tolerated exchanges
    _heard: dict[int, _Heard] = field(default_factory=dict)
    _answers: list[tuple[int, Event]] = field(default_factory=list)  # and what they answer
    _cut: set[int] = field(default_factory=set)
    _cause_ns: int = 0

    def remark(self, note: Event) -> None:
        """What the recorder remarks: that it got a part of a webhook only."""
        if note.type in _CUT:
            self._cut.add(note.channel)

    def take(self, seen: Seen) -> None:
        """The next event."""
        event, rules = seen.event, self.book.rules
        if seen.sound.size:
            self._hear(event, seen)
        elif event.kind == "webhook.request":
            loud = {at: _needed(heard) for at, heard in self._heard.items() if heard.loud}
            self._begun[event.channel] = _Begun(event.at_ns - self._cause_ns, loud, event.seq)
            self._types[event.channel] = event.type
            self._cause(event)
            self.releases.add(event)
        elif event.channel in self._begun:
            is_answer = event.kind == "webhook.response"
            if is_answer and self._types[event.channel] in rules.awaited:
                self._cause(event)
                self.releases.add(event)
                self._answers.append((self._begun[event.channel].seq, event))
        elif event.kind == "http.request" and self.book.tolerates(event.type):
            self._types[event.channel] = event.type
        elif event.channel not in self._types:
            self._cause(event)
            if event.kind == "http.request" and event.type in rules.commands:
                self.releases.add(event)

    def _hear(self, event: Event, seen: Seen) -> None:
        heard = self._heard.setdefault(event.channel, _Heard())
        heard.byte_rate = seen.sound.byte_rate or heard.byte_rate
        heard.loud += seen.sound.loud
        if seen.sound.loud:
            self._cause(event)

    def _cause(self, event: Event) -> None:
        self._cause_ns = event.at_ns

    def answered_ns(self, first: int, last: int) -> int:
        """When the last webhook that decides what comes next, of those sent after event `first`,
        was answered before event `last`; 0 if there was none."""
        found = (answer for asked, answer in self._answers if first < asked and answer.seq < last)
        return max((answer.at_ns for answer in found), default=0)

    def scripts(self, channels: Mapping[int, Sequence[Seen]]) -> tuple[DeliveryScript, ...]:
        """The webhooks in order, given all that was taken, by channel. Those of which the
        recorder got only a part are none."""
        return tuple(
            _script(channels[channel], begun)
            for channel, begun in self._begun.items()
            if not (channel in self._cut and _has_no_answer(channels[channel]))
        )


def _needed(heard: _Heard) -> int:
    return max(0, heard.loud - heard.byte_rate * SLACK_NS // NS)


def _has_no_answer(channel: Sequence[Seen]) -> bool:
    return all(seen.event.kind != "webhook.response" for seen in channel)


def _script(channel: Sequence[Seen], begun: _Begun) -> DeliveryScript:
    events = [seen.event for seen in channel]
    first = events[0]
    answer = next((event for event in events if event.kind == "webhook.response"), None)
    bodies = whole_bodies(channel)
    return DeliveryScript(
        first.channel,
        first.seq,
        first.type,
        RequestHead.decode(first.body),
        bodies.get("provider", b""),
        ResponseHead.decode(answer.body) if answer else None,
        bodies.get("client", b""),
        answer.seq if answer else None,
        begun.loud,
        begun.gap_ns,
        answer.at_ns - first.at_ns if answer else 0,
        first.at_ns,
        events[-1].at_ns,
    )
