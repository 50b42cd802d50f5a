"""Helpers: a client and a provider on a virtual clock, with a way between them that takes time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from recorder.client import Client
from recorder.events import Event, Machine, Message, Sender
from recorder.heads import Close, RequestHead, ResponseHead
from recorder.providers import PROVIDERS
from recorder.providers.base import Provider
from replay.caller import Caller, read_plan
from replay.caller.budget import Budget
from replay.caller.machine import Options
from replay.digest import tape_digest
from replay.match.rulebook import Rulebook

OPENAI = PROVIDERS["openai"]
MS = 1_000_000
KEY = (
    ("Host", "simulator"),
    ("Authorization", "Bearer sk-a-key-that-is-made-up"),
)


class _Way:
    """One direction: everything takes `delay` ns, in order."""

    def __init__(self, source: Machine, target: Machine, sender: Sender, delay: int) -> None:
        self.source, self.target, self.sender, self.delay = source, target, sender, delay
        self.flying: list[tuple[int, Message]] = []
        self.arrived = 0

    def move(self, now: int) -> list[tuple[int, Sender, Message]]:
        while self.flying and self.flying[0][0] <= now:
            self.target.receive(self.flying.pop(0)[1], now)
            self.arrived += 1
        sent = self.source.due(now)
        self.flying += [(now + self.delay, message) for message in sent]
        return [(now + self.delay // 2, self.sender, message) for message in sent]

    def next(self) -> list[int]:
        own = self.source.next_deadline()
        return [when for when in (own, *(at for at, _ in self.flying[:1])) if when is not None]


def hold(
    client: Client, provider: Machine, delay: int = 0, named: Provider = OPENAI
) -> list[Event]:
    """The tape of their conversation, up to the end of the client."""
    ways = (_Way(client, provider, "client", delay), _Way(provider, client, "provider", delay))
    crossed: list[tuple[int, Sender, Message]] = []
    now, idle = 0, 0
    while True:
        before = sum(way.arrived for way in ways)
        sent = [one for way in ways for one in way.move(now)]
        crossed += sent
        moved = bool(sent) or sum(way.arrived for way in ways) > before
        if client.finished and not moved and not any(way.flying for way in ways):
            break
        idle = 0 if moved else idle + 1
        assert idle < 1000, f"nothing happens at {now} ns"
        coming = [when for way in ways for when in way.next() if when > now or moved]
        now = max(now, min(coming, default=now))
    return _events(crossed, named)


def _events(crossed: Sequence[tuple[int, Sender, Message]], named: Provider) -> list[Event]:
    tracker = named.tracker()
    made: list[Event] = []
    names: dict[int, str] = {}

    def add(at_ns: int, channel: int, sender: Sender, kind: Any, type_: str, body: bytes) -> None:
        found = tracker.inspect(channel, sender, kind, type_, body).type or type_
        made.append(Event("run", len(made) + 1, at_ns, channel, sender, kind, found, body))

    for at_ns, sender, message in sorted(crossed, key=lambda one: one[0]):
        channel, kind, body, payload = message[:4]
        type_ = _type(sender, kind, body)
        if kind == "webhook.request":
            assert named.WEBHOOKS
            type_ = named.WEBHOOKS.read(payload).type
        add(at_ns, channel, sender, kind, type_, body)
        if kind.startswith(("http.", "webhook.")):
            name = names.setdefault(channel, type_)
            if payload:
                add(at_ns, channel, sender, "http.chunk", name, payload)
            add(at_ns, channel, sender, "http.chunk", name, b"")
    return made


def _type(sender: Sender, kind: str, body: bytes) -> str:
    if kind == "ws.close":
        return str(Close.decode(body).code)
    if kind not in ("ws.open", "http.request", "http.response", "webhook.response"):
        return ""
    if sender == "provider" or kind == "webhook.response":
        return str(ResponseHead.decode(body).status)
    head = RequestHead.decode(body)
    return f"{head.method} {head.path}"


class Whole(Caller):
    """A caller that answers webhooks on the way by which all else goes."""

    def due(self, now: int) -> list[Message]:
        return [*self.answers(now), *super().due(now)]

    def next_deadline(self) -> int | None:
        times = (None if self.finished else self.next_answer(), super().next_deadline())
        return min((when for when in times if when is not None), default=None)


def caller(
    tape: Sequence[Event], named: Provider = OPENAI, budget: Budget | None = None, **options: Any
) -> Caller:
    """The client of a tape."""
    book = Rulebook(named.RULES)
    plan = read_plan(tape, named, book)
    chosen = {"base": "http://simulator", "limit_s": 120.0, "headers": KEY, **options}
    return Whole(plan, named, book, Options(**chosen), budget or Budget())


def digest(tape: Sequence[Event], named: Provider = OPENAI) -> str:
    """The canonical digest."""
    return tape_digest(tape, named, Rulebook(named.RULES)).digest
