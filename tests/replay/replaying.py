"""Helpers for replay tests: events without a store, and a client on virtual time."""

from __future__ import annotations

import json
from collections.abc import Iterable
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
