"""Tapes of Vapi calls for replay tests, and both parties of a call on virtual time."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from tapes import Script, Take, tone

from recorder.events import Event, Message
from recorder.heads import Headers, RequestHead, ResponseHead
from recorder.providers import PROVIDERS
from replay.match.rulebook import Rulebook
from replay.player import Player
from replay.script import read_script

MS = 1_000_000
VAPI = PROVIDERS["vapi"]
BOOK = Rulebook(VAPI.RULES)
CALL = "01a21102-2861-7437-af6b-e9b3c57ca391"
SERVER = "http://team.example:3000/hooks"
HOST: Headers = (("Host", "replay.example:9000"),)
SOCKET = 2
RATE = 16_000
ASKED = {"assistantId": "a", "transport": {"provider": "vapi.websocket"}}
SPEECH = tone(600, rate=RATE)
REPLY = tone(100, 300, rate=RATE)


def call(**more: Any) -> dict[str, Any]:
    """A call as the tape has it: its URLs are redacted."""
    links = {"listenUrl": "[redacted:aaaaaaaaaaaa]", "controlUrl": "[redacted:bbbbbbbbbbbb]"}
    transport = {"websocketCallUrl": "[redacted:cccccccccccc]", "provider": "vapi.websocket"}
    return {"id": CALL, "status": "queued", "transport": transport, "monitor": links, **more}


class Tape:
    """Takes of a call: POST on channel 1, socket on 2, the rest on channels of their own."""

    def __init__(self) -> None:
        self.script = Script(SOCKET)
        self._channels = SOCKET

    @property
    def takes(self) -> list[Take]:
        return self.script.takes

    def wait(self, ms: float) -> Tape:
        self.script.wait(ms)
        return self

    def _add(self, channel: int, sender: Any, kind: Any, type_: str, body: bytes) -> None:
        self.takes.append(Take(self.script.at_ms, channel, sender, kind, type_, body))

    def ask(
        self, method: str, path: str, body: Any, answer: Any, status: int = 200, ms: float = 10
    ) -> Tape:
        """A request and its answer."""
        made = method == "POST" and path == "/call"
        self._channels += not made
        channel = 1 if made else self._channels
        name = f"{method} {path}"
        head = RequestHead(method, path, "", (("content-type", "application/json"),))
        self._add(channel, "client", "http.request", name, head.encode())
        if body is not None:
            self._add(channel, "client", "http.chunk", name, json.dumps(body).encode())
        self._add(channel, "client", "http.chunk", name, b"")
        self.wait(ms)
        found = ResponseHead(status, "", (("content-type", "application/json"),))
        self._add(channel, "provider", "http.response", str(status), found.encode())
        self._add(channel, "provider", "http.chunk", name, json.dumps(answer).encode())
        self._add(channel, "provider", "http.chunk", name, b"")
        return self

    def create(self) -> Tape:
        return self.ask("POST", "/call", ASKED, call(), 201)

    def open(self) -> Tape:
        self.script.open(f"/{CALL}/transport", "")
        return self

    def says(self, type_: str, **fields: Any) -> Tape:
        """A text frame of Vapi."""
        self.script.add("provider", "ws.text", json.dumps({"type": type_, **fields}).encode())
        return self

    def stream(self, sender: Any, pcm: bytes, ms: int = 20) -> Tape:
        """Frames in real time."""
        step = RATE * ms // 1000 * 2
        for at in range(0, len(pcm), step):
            self.script.add(sender, "ws.binary", pcm[at : at + step])
            self.wait(ms)
        return self

    def close(self) -> Tape:
        self.script.close()
        return self

    def hook(
        self, type_: str, answer: Any = None, *, ms: float = 5, path: str = "", by: str = "client"
    ) -> Tape:
        """A webhook that is answered after `ms`; not at all with `by` empty."""
        self._channels += 1
        channel = self._channels
        body = {"message": {"type": type_, "call": call()}}
        target, _, query = f"/webhooks/vapi{path}".partition("?")
        head = RequestHead("POST", target, query, (("content-type", "application/json"),))
        self._add(channel, "provider", "webhook.request", type_, head.encode())
        self._add(channel, "provider", "http.chunk", type_, json.dumps(body).encode())
        self._add(channel, "provider", "http.chunk", type_, b"")
        self.wait(ms)
        if by:
            self._add(channel, by, "webhook.response", "200", ResponseHead(200, "OK").encode())
            self._add(channel, by, "http.chunk", type_, json.dumps(answer or {}).encode())
            self._add(channel, by, "http.chunk", type_, b"")
        return self


def events(takes: Iterable[Take]) -> list[Event]:
    """The events that recording `takes` gives."""
    tracker = VAPI.tracker()
    made = []
    for seq, (at_ms, channel, sender, kind, type_, body) in enumerate(takes, 1):
        name = tracker.inspect(channel, sender, kind, type_, body).type or type_
        made.append(Event("tape", seq, int(at_ms * MS), channel, sender, kind, name, body))
    return made


def player(tape: Tape, speed: float | None = None, **options: Any) -> Player:
    """A player of a tape, with an application at `SERVER`."""
    options.setdefault("webhook_to", SERVER)
    script = read_script(events(tape.takes), VAPI, BOOK)
    return Player(script, VAPI, BOOK, speed=speed, **options)


class Parties:
    """A client and an application against a player. `log` is what the player did, in order:
    `ws TYPE`, `audio`, `hook TYPE`, `http STATUS`, each with its time in ms."""

    def __init__(self, machine: Player) -> None:
        self.machine = machine
        self.now = 1_000 * MS
        self.got: list[Message] = []
        self.log: list[tuple[float, str]] = []
        self._start = self.now
        self._channels = SOCKET

    @property
    def did(self) -> list[str]:
        """What the player did, runs of audio made one."""
        names = [name for _, name in self.log]
        return [name for at, name in enumerate(names) if name != "audio" or names[at - 1] != name]

    def when(self, name: str) -> float:
        """The time of the first such thing."""
        return next(ms for ms, each in self.log if each == name)

    @property
    def hooks(self) -> list[Message]:
        return [message for message in self.got if message.kind == "webhook.request"]

    def run(self, ms: float = 0) -> Parties:
        """Let `ms` pass."""
        end = self.now + int(ms * MS)
        while True:
            for message in self.machine.due(self.now):
                self.got.append(message)
                self.log.append(((self.now - self._start) / MS, _name(message)))
            deadline = self.machine.next_deadline()
            assert deadline is None or deadline > self.now, "due now, and was not given out"
            if deadline is None or deadline > end:
                break
            self.now = deadline
        self.now = end
        return self

    def give(self, channel: int, kind: Any, body: bytes, payload: bytes = b"") -> Parties:
        self.machine.receive(Message(channel, kind, body, payload), self.now)
        return self.run()

    def ask(self, method: str, path: str, body: Any = None, ms: float = 0) -> Any:
        """A request; the JSON of the answer, which must come within `ms`."""
        self._channels += 1
        head = RequestHead(method, path, "", (*HOST, ("content-type", "application/json")))
        payload = b"" if body is None else json.dumps(body).encode()
        self.give(self._channels, "http.request", head.encode(), payload).run(ms)
        (answer,) = [each for each in self.got if each.channel == self._channels]
        return json.loads(answer.payload)

    def request_call(self) -> Parties:
        """The request that makes a call; whoever tests it looks for its answer."""
        head = RequestHead("POST", "/call", "", (*HOST, ("content-type", "application/json")))
        return self.give(1, "http.request", head.encode(), json.dumps(ASKED).encode())

    def open(self, path: str = f"/{CALL}/transport") -> Parties:
        return self.give(SOCKET, "ws.open", RequestHead("GET", path, "", HOST).encode())

    def stream(self, pcm: bytes, ms: int = 20) -> Parties:
        """Frames in real time."""
        step = RATE * ms // 1000 * 2
        for at in range(0, len(pcm), step):
            self.give(SOCKET, "ws.binary", pcm[at : at + step]).run(ms)
        return self

    def answer(self, hook: int = -1, body: Any = None, status: int = 200) -> Parties:
        """The application answers one of the webhooks."""
        channel = self.hooks[hook].channel
        payload = json.dumps(body or {}).encode() if status else b""
        head = ResponseHead(status, "" if status else "connection refused")
        return self.give(channel, "webhook.response", head.encode(), payload)


def _name(message: Message) -> str:
    if message.kind == "webhook.request":
        return f"hook {json.loads(message.payload)['message']['type']}"
    if message.kind == "http.response":
        return f"http {ResponseHead.decode(message.body).status}"
    if message.kind == "ws.text":
        return f"ws {json.loads(message.body).get('type', 'error')}"
    return "audio" if message.kind == "ws.binary" else message.kind
