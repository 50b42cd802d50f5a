"""The simulated Vapi, a team's server and a client's speaker, together on a virtual clock."""

from __future__ import annotations

import heapq
import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from recorder.events import Message
from recorder.heads import Close, RequestHead, ResponseHead
from recorder.trial.speaker import Speaker
from recorder.trial.steps import Step
from recorder.trial.vapi_wording import VapiWording
from replay.simulators.vapi import Options, VapiSimulator
from replay.simulators.vapi.courier import FIRST_CHANNEL

WALL = 1_795_000_000_000_000_000
MS = 1_000_000
S = 1_000_000_000
KEY = ("Authorization", "Bearer 3f0c8d0e-0000-4000-8000-000000000000")
HOST = ("Host", "127.0.0.1:9009")
SERVER = "http://team.example/hook"

Body = dict[str, Any]
Answerer = Callable[[Body], tuple[int, Any]]


class Response(NamedTuple):
    """An HTTP answer; `json` is None where the body is not JSON."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Hook(NamedTuple):
    """A webhook that the server received."""

    at: int
    head: RequestHead
    body: bytes

    @property
    def message(self) -> Body:
        message: Body = json.loads(self.body)["message"]
        return message

    @property
    def type(self) -> str:
        return str(self.message["type"])


class Frame(NamedTuple):
    """A message on a socket."""

    at: int
    who: str
    kind: str
    body: bytes


class World:
    """`answer` is the team's server: status and JSON for a message, or None to never answer."""

    def __init__(
        self,
        options: Options | None = None,
        answer: Callable[[Body], tuple[int, Any] | None] | None = None,
        seed: int = 7,
        server_ms: int = 40,
    ) -> None:
        self.sim = VapiSimulator(seed, WALL, options)
        self.now = 0
        self.hooks: list[Hook] = []
        self.frames: dict[int, list[Frame]] = {}
        self.closes: dict[int, Close] = {}
        self.sent: list[Message] = []
        self._answer = answer or (lambda message: (200, {}))
        self._server_ns = server_ms * MS
        self._answers: list[tuple[int, int, Message]] = []
        self._responses: dict[int, Message] = {}
        self._speakers: dict[int, Speaker] = {}
        self._channels = itertools.count(1)

    # REST

    def rest(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: tuple[tuple[str, str], ...] = (KEY, HOST),
    ) -> Response:
        """One request, answered at once."""
        channel = next(self._channels)
        path, _, query = path.partition("?")
        head = RequestHead(method, path, query, headers)
        payload = b"" if body is None else json.dumps(body).encode()
        self.sim.receive(Message(channel, "http.request", head.encode(), payload), self.now)
        self._collect()
        answer = self._responses[channel]
        if answer.kind == "ws.close":
            return Response(0, {}, b"")
        found = ResponseHead.decode(answer.body)
        return Response(found.status, dict(found.headers), answer.payload)

    def create(self, **fields: Any) -> Body:
        """A call on the WebSocket transport."""
        fields.setdefault("transport", {"provider": "vapi.websocket"})
        made = self.rest("POST", "/call", fields)
        assert made.status == 201, made.body
        created: Body = made.json
        return created

    # Sockets

    def open(self, path: str) -> int:
        """A socket of a call, opened by hand."""
        channel = next(self._channels)
        self.frames[channel] = []
        head = RequestHead("GET", path, "", (HOST,))
        self.send(channel, "ws.open", head.encode())
        return channel

    def send(self, channel: int, kind: Any, body: bytes) -> None:
        self.sim.receive(Message(channel, kind, body), self.now)
        self._collect()

    def speak(
        self, call: Body, steps: Sequence[Step], wording: VapiWording | None = None
    ) -> tuple[int, Speaker]:
        """A speaker on the call's socket, run to its end."""
        channel = next(self._channels)
        path = call["transport"]["websocketCallUrl"].partition(HOST[1])[2]
        speaker = Speaker(
            RequestHead("GET", path, "", (HOST,)),
            steps,
            wording or VapiWording(),
            channel=channel,
        )
        self.frames[channel] = []
        self._speakers[channel] = speaker
        self.run(lambda: speaker.finished)
        return channel, speaker

    def texts(self, channel: int, who: str = "provider") -> list[Body]:
        """The text frames of a socket."""
        return [
            json.loads(one.body)
            for one in self.frames[channel]
            if one.kind == "ws.text" and one.who == who
        ]

    def audio(self, channel: int, who: str = "provider") -> list[Frame]:
        """The binary frames of a socket."""
        return [one for one in self.frames[channel] if one.kind == "ws.binary" and one.who == who]

    # Time

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        end = self.now + round(seconds * S)
        self.run(lambda: False, end)
        self.now = end

    def run(self, done: Callable[[], bool], end: int | None = None) -> None:
        """Let time pass until `done` or `end`."""
        while not done():
            self._pump()
            if done():
                return
            times = [self.sim.next_deadline()]
            times += [speaker.next_deadline() for speaker in self._speakers.values()]
            times += [self._answers[0][0]] if self._answers else []
            known = [one for one in times if one is not None]
            if not known or (end is not None and min(known) > end):
                assert end is not None, "nothing will ever happen"
                return
            self.now = max(self.now, min(known))

    def _pump(self) -> None:
        for channel, speaker in self._speakers.items():
            for message in speaker.due(self.now):
                self.frames[channel].append(Frame(self.now, "client", message.kind, message.body))
                self.sim.receive(message, self.now)
        while self._answers and self._answers[0][0] <= self.now:
            self.sim.receive(heapq.heappop(self._answers)[2], self.now)
        self._collect()

    def _collect(self) -> None:
        for message in self.sim.due(self.now):
            self.sent.append(message)
            if message.kind == "webhook.request":
                self._deliver(message)
            elif message.channel in self.frames:
                self._frame(message)
            else:
                self._responses[message.channel] = message

    def _frame(self, message: Message) -> None:
        channel = message.channel
        self.frames[channel].append(Frame(self.now, "provider", message.kind, message.body))
        if message.kind == "ws.close":
            self.closes[channel] = Close.decode(message.body)
        if channel in self._speakers:
            self._speakers[channel].receive(message, self.now)

    def _deliver(self, message: Message) -> None:
        assert message.channel >= FIRST_CHANNEL
        hook = Hook(self.now, RequestHead.decode(message.body), message.payload)
        self.hooks.append(hook)
        answer = self._answer(hook.message)
        if answer is None:
            return
        status, body = answer
        payload = b"" if status == 0 else json.dumps(body).encode()
        head = ResponseHead(status, str(body) if status == 0 else "")
        reply = Message(message.channel, "webhook.response", head.encode(), payload)
        heapq.heappush(self._answers, (self.now + self._server_ns, message.channel, reply))

    # What came

    def of(self, type_: str) -> list[Hook]:
        """The webhooks of a type."""
        return [hook for hook in self.hooks if hook.type == type_]

    def hook_types(self) -> list[str]:
        return [hook.type for hook in self.hooks]


def tool_answers(results: Mapping[str, Any]) -> Answerer:
    """A server that answers tool calls by name."""

    def answer(message: Body) -> tuple[int, Any]:
        if message["type"] != "tool-calls":
            return 200, {}
        return 200, {
            "results": [
                {"toolCallId": one["id"], "result": results[one["function"]["name"]]}
                for one in message["toolCallList"]
            ]
        }

    return answer
