"""A client of the simulator in virtual time, which checks every event that it receives."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray
from openai_checks import Event, check_order, validate_server

from recorder.audio import pcm
from recorder.events import Message
from recorder.heads import Close, RequestHead, ResponseHead
from replay.simulators.openai import OpenAISimulator, Options

WALL = 1_790_000_000_000_000_000
KEY = (("Authorization", "Bearer sk-test-0123456789"),)
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


def noise(ms: int, level: float = 4000.0, rate: int = 24_000) -> NDArray[np.int16]:
    """A burst that any energy detector takes for speech."""
    values = np.random.default_rng(ms).normal(0, level, ms * rate // 1000)
    return np.clip(values, -32000, 32000).astype(np.int16)


def silence(ms: int, rate: int = 24_000) -> NDArray[np.int16]:
    return np.zeros(ms * rate // 1000, dtype=np.int16)


class Client:
    """One WebSocket on a simulator, on a clock of its own or shared by passing `sim` and `now`."""

    def __init__(
        self,
        options: Options | None = None,
        *,
        seed: int = 7,
        path: str = "/v1/realtime",
        query: str = "model=gpt-realtime",
        headers: tuple[tuple[str, str], ...] = KEY,
        sim: OpenAISimulator | None = None,
        channel: int = 1,
        now: int = 0,
        beta: bool = False,
    ) -> None:
        self.sim = sim or OpenAISimulator(seed, WALL, options)
        self.channel, self.now, self.beta = channel, now, beta
        self.events: list[Event] = []
        self.raw: list[bytes] = []
        self.times: list[int] = []
        self.close: Close | None = None
        self.answer: ResponseHead | None = None
        self.payload = b""
        head = RequestHead("GET", path, query, headers)
        self.sim.receive(Message(channel, "ws.open", head.encode()), now)
        self._collect(now)

    def send(self, type_: str, **fields: Any) -> list[Event]:
        """Send an event; return what comes at once."""
        return self.send_text(json.dumps({"type": type_, **fields}))

    def send_text(self, text: str) -> list[Event]:
        self.sim.receive(Message(self.channel, "ws.text", text.encode()), self.now)
        return self._collect(self.now)

    def wait(self, ms: float) -> list[Event]:
        """Let time pass; return what comes meanwhile."""
        end = self.now + int(ms * 1_000_000)
        got: list[Event] = []
        while (when := self.sim.next_deadline()) is not None and when <= end:
            self.now = max(self.now, when)
            got += self._collect(self.now)
        self.now = end
        return got

    def settle(self, limit_ms: float = 60_000) -> list[Event]:
        """Let time pass until the response of the moment is over."""
        got = self.wait(1)
        end = self.now + int(limit_ms * 1_000_000)
        while self._responding() and self.now < end:
            got += self.wait(100)
        assert not self._responding()
        return got + self.wait(500)

    def _responding(self) -> bool:
        types = [event["type"] for event in self.events]
        return types.count("response.created") > types.count("response.done")

    def _collect(self, now: int) -> list[Event]:
        got: list[Event] = []
        for message in self.sim.due(now):
            if message.channel != self.channel:
                continue
            if message.kind == "ws.open":
                self.answer, self.payload = ResponseHead.decode(message.body), message.payload
            elif message.kind == "ws.close":
                self.close = Close.decode(message.body)
            else:
                assert message.kind == "ws.text"
                event = json.loads(message.body)
                validate_server(event, self.beta)
                self.raw.append(message.body)
                self.times.append(now)
                got.append(event)
        self.events += got
        return got

    def type_in(self, text: str, **response: Any) -> list[Event]:
        """A typed turn up to the end of its response."""
        content = [{"type": "input_text", "text": text}]
        item = {"type": "message", "role": "user", "content": content}
        got = self.send("conversation.item.create", item=item)
        got += self.send("response.create", **({"response": response} if response else {}))
        return got + self.settle()

    def hear(
        self, samples: NDArray[np.int16], chunk: int = 2400, wait_ms: float = 100
    ) -> list[Event]:
        """Append PCM at 24 kHz, waiting after each chunk."""
        got: list[Event] = []
        for place in range(0, len(samples), chunk):
            got += self.append(pcm.to_bytes(samples[place : place + chunk]))
            got += self.wait(wait_ms)
        return got

    def append(self, data: bytes) -> list[Event]:
        return self.send("input_audio_buffer.append", audio=base64.b64encode(data).decode())

    def update(self, **session: Any) -> list[Event]:
        return self.send("session.update", session={"type": "realtime", **session})

    def of(self, type_: str) -> list[Event]:
        return [event for event in self.events if event["type"] == type_]

    def types(self) -> list[str]:
        return [event["type"] for event in self.events]

    def error(self) -> Event:
        """The error object of the last event, which must be one."""
        assert self.events[-1]["type"] == "error", self.events[-1]
        error: Event = self.events[-1]["error"]
        return error

    def check(self) -> None:
        """The order rules over all that came."""
        check_order(self.events)
