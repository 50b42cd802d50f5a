"""Helpers for replay tests: events without a store, and a client on virtual time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from tapes import Take

from recorder.events import Event, Message
from recorder.heads import Close, RequestHead
from recorder.providers import PROVIDERS
from replay.match.rulebook import Rulebook
from replay.player import Player
from replay.script import Script, read_script

OPENAI = PROVIDERS["openai"]
BOOK = Rulebook(OPENAI.RULES)
MS = 1_000_000


def events(takes: Iterable[Take]) -> list[Event]:
    """The events that recording `takes` gives."""
    tracker = OPENAI.tracker()
    made = []
    for seq, (at_ms, channel, sender, kind, type_, body) in enumerate(takes, 1):
        name = tracker.inspect(channel, sender, kind, type_, body).type
        made.append(Event("tape", seq, int(at_ms * MS), channel, sender, kind, name, body))
    return made


def script(takes: Iterable[Take]) -> Script:
    """The script of `takes`."""
    return read_script(events(takes), OPENAI, BOOK)


def player(takes: Iterable[Take], speed: float | None = None, **options: Any) -> Player:
    """A player of `takes`."""
    return Player(script(takes), OPENAI, BOOK, speed=speed, **options)


RENEWED_IDS = (
    (b"item_a", b"item_zz9"),
    (b"resp_b", b"resp_x"),
    (b'"call_a"', b'"call_q"'),
    (b"sess_0000000000000000000001", b"sess_E6U0wB3eiENYwSnJIBpFN"),
    (b"event_0000000000000000000", b"event_E6U0wB3eiENYwSnJI"),
)
"""Ids of `conversation`, and what another run may call them."""


def carried_otherwise(takes: Sequence[Take]) -> list[Take]:
    """The same messages at other times, on another channel, with a ping among them."""
    moved = [take._replace(at_ms=take.at_ms * 3 + 1, channel=5) for take in takes]
    return [*moved[:4], moved[3]._replace(kind="ws.ping", body=b"x"), *moved[4:]]


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where the values of a message stand that hold no others."""
    if isinstance(value, dict):
        return [found for key in value for found in leaves(value[key], (*path, key))]
    if isinstance(value, list):
        return [found for at, each in enumerate(value) for found in leaves(each, (*path, at))]
    return [path]


def with_change(takes: Sequence[Take], number: int, path: tuple[Any, ...]) -> list[Take]:
    """`takes` with another value at a place of a message; of streamed audio, with another sound."""
    message = json.loads(takes[number].body)
    holder = message
    for key in path[:-1]:
        holder = holder[key]
    old = holder[path[-1]]
    if path[-1] in ("audio", "delta") and len(str(old)) > 100:
        middle = len(old) // 2
        holder[path[-1]] = old[:middle] + ("A" if old[middle] != "A" else "B") + old[middle + 1 :]
    else:
        holder[path[-1]] = f"{old} and more" if isinstance(old, str) else "something"
    take = takes[number]._replace(body=json.dumps(message).encode())
    return [*takes[:number], take, *takes[number + 1 :]]


class Client:
    """The client's side of one player, on virtual time; `got` is what the provider said."""

    def __init__(self, machine: Player) -> None:
        self.machine = machine
        self.now = 1_000 * MS
        self.got: list[Message] = []
        self.at: list[int] = []  # when each came, ns since the start
        self._start = self.now

    def run(self, ms: float = 0) -> Client:
        """Let `ms` pass."""
        end = self.now + int(ms * MS)
        while True:
            self._drain()
            deadline = self.machine.next_deadline()
            assert deadline is None or deadline > self.now, "due now, and was not given out"
            if deadline is None or deadline > end:
                break
            self.now = deadline
        self.now = end
        return self

    def _drain(self) -> None:
        for message in self.machine.due(self.now):
            self.got.append(message)
            self.at.append(self.now - self._start)

    def give(self, kind: Any, body: bytes, channel: int = 1, payload: bytes = b"") -> Client:
        self.machine.receive(Message(channel, kind, body, payload), self.now)
        return self.run()

    def open(
        self, path: str = "/v1/realtime", query: str = "model=gpt-realtime", channel: int = 1
    ) -> Client:
        return self.give("ws.open", RequestHead("GET", path, query).encode(), channel)

    def send(self, type_: str, channel: int = 1, **fields: Any) -> Client:
        return self.give("ws.text", json.dumps({"type": type_, **fields}).encode(), channel)

    def close(self, code: int = 1000, channel: int = 1) -> Client:
        return self.give("ws.close", Close(code).encode(), channel)

    def types(self, channel: int = 1) -> list[str]:
        """The types of what came as messages."""
        return [
            json.loads(message.body)["type"]
            for message in self.got
            if message.kind == "ws.text" and message.channel == channel
        ]

    def last(self) -> Any:
        """The last text message."""
        return json.loads([each.body for each in self.got if each.kind == "ws.text"][-1])
