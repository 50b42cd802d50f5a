"""A client of the simulated GPT-Live in virtual time, which checks every event that it receives."""

from __future__ import annotations

import base64
import functools
import json
from typing import Annotated, Any, NamedTuple, get_args, get_origin

import numpy as np
from numpy.typing import NDArray

from recorder.audio import pcm
from recorder.events import Kind, Message, Sender
from recorder.heads import Close, RequestHead, ResponseHead
from replay.simulators.openai_live import LiveSimulator, Options

Event = dict[str, Any]
WALL = 1_790_000_000_000_000_000
KEY = (("Authorization", "Bearer sk-test-0123456789"),)
MS = 1_000_000
WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "Look up the weather.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}
BACKEND = {"type": "responses", "responses": {"model": "gpt-5-mini", "tools": [WEATHER]}}
QUICK = {"latency_ms": 100, "jitter_ms": 0}


def noise(ms: int, rate: int = 24_000) -> NDArray[np.int16]:
    """A burst that any energy detector takes for speech."""
    values = np.random.default_rng(ms).normal(0, 4000.0, ms * rate // 1000)
    return np.clip(values, -32000, 32000).astype(np.int16)


def silence(ms: int, rate: int = 24_000) -> NDArray[np.int16]:
    return np.zeros(ms * rate // 1000, dtype=np.int16)


@functools.cache
def _types(union: Any) -> dict[str, Any]:
    inner = get_args(union)[0] if get_origin(union) is Annotated else union
    return {get_args(one.model_fields["type"].annotation)[0]: one for one in get_args(inner)}


def validate(event: Event, is_sideband: bool) -> None:
    """The event fits the type of its name, and what is nested that of the Responses API."""
    from openai.types.live import ConnectServerEvent, ServerEvent
    from openai.types.responses import ResponseStreamEvent

    known = _types(ConnectServerEvent if is_sideband else ServerEvent)
    assert event["type"] in known, event["type"]
    known[event["type"]].model_validate(event)
    if event["type"] == "response.event":
        nested = _types(ResponseStreamEvent)[event["event"]["type"]]
        nested.model_validate(event["event"])


class Take(NamedTuple):
    """What crossed a connection at a time (ns)."""

    at_ns: int
    channel: int
    sender: Sender
    kind: Kind
    body: bytes


class Client:
    """One connection to a simulator, on a clock of its own or shared by passing `other`."""

    def __init__(
        self,
        options: Options | None = None,
        *,
        seed: int = 7,
        path: str = "/v1/live/sessions",
        query: str = "",
        headers: tuple[tuple[str, str], ...] = KEY,
        other: Client | None = None,
    ) -> None:
        self.sim = other.sim if other else LiveSimulator(seed, WALL, options)
        self.clients = other.clients if other else []
        self.clients.append(self)
        self.valid: set[bytes] = other.valid if other else set()
        self.wire: list[Take] = other.wire if other else []  # of all connections
        self.channel = len(self.clients)
        self.clock = other.clock if other else [0]
        self.is_sideband = path.endswith("attach")
        self.events: list[Event] = []
        self.raw: list[bytes] = []
        self.times: list[int] = []
        self.answers: list[Message] = []  # to requests
        self.close: Close | None = None
        self.answer: ResponseHead | None = None
        head = RequestHead("GET", path, query, headers)
        self._give("ws.open", head.encode())

    @property
    def now(self) -> int:
        return self.clock[0]

    def _give(self, kind: Any, body: bytes) -> None:
        self.wire.append(Take(self.now, self.channel, "client", kind, body))
        self.sim.receive(Message(self.channel, kind, body), self.now)
        self._collect()

    def _collect(self) -> None:
        for message in self.sim.due(self.now):
            if message.kind == "http.response":
                self.answers.append(message)
                continue
            crossed = Take(self.now, message.channel, "provider", message.kind, message.body)
            self.wire.append(crossed)
            client = self.clients[message.channel - 1]
            if message.kind == "ws.open":
                client.answer = ResponseHead.decode(message.body)
            elif message.kind == "ws.close":
                client.close = Close.decode(message.body)
            else:
                event = json.loads(message.body)
                if message.body not in self.valid:
                    validate(event, client.is_sideband)
                    self.valid.add(message.body)
                client.raw.append(message.body)
                client.times.append(self.now)
                client.events.append(event)

    def send(self, type_: str, **fields: Any) -> None:
        self._give("ws.text", json.dumps({"type": type_, **fields}).encode())

    def post(self, path: str, body: Event | None = None) -> tuple[int, Any]:
        """Make a request; the status and the body of its answer."""
        payload = b"" if body is None else json.dumps(body).encode()
        head = RequestHead("POST", path, "", KEY)
        self.sim.receive(Message(99, "http.request", head.encode(), payload), self.now)
        self._collect()
        answer = self.answers.pop()
        told = json.loads(answer.payload) if answer.payload else None
        return ResponseHead.decode(answer.body).status, told

    def leave(self) -> None:
        self._give("ws.close", Close(1000).encode())

    def wait(self, ms: float) -> None:
        end = self.now + int(ms * MS)
        while (when := self.sim.next_deadline()) is not None and when <= end:
            self.clock[0] = max(self.now, when)
            self._collect()
        self.clock[0] = end

    def start(self, **session: Any) -> Client:
        self.send("session.start", event_id="e1", session={"model": "gpt-live-1", **session})
        self.wait(400)
        return self

    def hear(self, samples: NDArray[np.int16], chunk_ms: int = 50, rate: int = 24_000) -> None:
        """Send audio as a microphone does."""
        size = chunk_ms * rate // 1000
        for place in range(0, len(samples), size):
            self.append(pcm.to_bytes(samples[place : place + size]))
            self.wait(chunk_ms)

    def append(self, data: bytes) -> None:
        self.send("session.input_audio.append", audio=base64.b64encode(data).decode())

    def quiet(self, ms: int) -> None:
        self.hear(silence(ms))

    def turn(self, ms: int = 1000, then_ms: int = 6000) -> None:
        """Speak, and listen."""
        self.hear(np.concatenate((noise(ms), silence(then_ms))))

    def timed(self) -> list[tuple[int, Event]]:
        """The events, each with when it came."""
        return list(zip(self.times, self.events, strict=True))

    def of(self, type_: str) -> list[Event]:
        return [event for event in self.events if event["type"] == type_]

    def types(self) -> list[str]:
        """Types without those of the streams, nested ones by their own."""
        named = [
            event["event"]["type"] if event["type"] == "response.event" else event["type"]
            for event in self.events
        ]
        return [name for name in named if not name.endswith(".delta")]

    def said(self) -> str:
        return "".join(event["delta"] for event in self.of("session.output_transcript.delta"))

    def heard(self) -> str:
        return "".join(event["delta"] for event in self.of("session.input_transcript.delta"))

    def frames(self) -> list[bytes]:
        return [base64.b64decode(event["delta"]) for event in self.of("session.output_audio.delta")]

    def error(self) -> Event:
        """The error object of the last event, which must be one."""
        assert self.events[-1]["type"] == "error", self.events[-1]
        error: Event = self.events[-1]["error"]
        return error
