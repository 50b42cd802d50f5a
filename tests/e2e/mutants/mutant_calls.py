"""A call at Vapi: made with the simulator on a virtual clock for a tape, and by a client in a tenth
of its time for a replay."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import answerer
import httpx

from recorder.audio import pcm
from recorder.capture.proxy.webhooks import PREFIX
from recorder.capture.writer import Writer
from recorder.client import Conversation
from recorder.clock import SystemClock, VirtualClock
from recorder.events import Kind, Message
from recorder.heads import RequestHead, ResponseHead
from recorder.providers import provider
from recorder.redact import Secrets
from recorder.store import open_store
from recorder.store.base import ChannelKind
from recorder.trial.speaker import Speaker
from recorder.trial.steps import AwaitReply, Close, Speak, Step
from recorder.trial.vapi_wording import VapiWording
from replay.loopback import Crossing, Loopback, Wire
from replay.simulators.common.voice import synthesise
from replay.simulators.vapi import Options, VapiSimulator

WALL_NS = 1_790_000_000_000_000_000
SPEED = 10.0
_LIMIT_NS = 120_000_000_000
_KEY = "3f0c8d0e-5a1b-4c2d-9e3f-0123456789ab"
_JSON = (("Content-Type", "application/json"),)
_WIRE = Wire(10_000_000, 10_000_000)
_TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
    "messages": [],
}
_ASSISTANT = {
    "firstMessage": "Hello.",
    "model": {"provider": "openai", "model": "gpt-4.1", "tools": [_TOOL]},
    "server": {"url": "http://team.test/hooks"},
}
BODY = {"assistant": _ASSISTANT, "transport": {"provider": "vapi.websocket"}}


def _speaker(url: str) -> Speaker:
    question = pcm.to_bytes(synthesise("the weather in Oslo"))
    steps: list[Step] = [AwaitReply(), Speak(question), AwaitReply(), Close()]
    return Speaker(RequestHead("GET", urlsplit(url).path), steps, VapiWording(), channel=2)


class Caller:
    """A client that makes a call, then speaks on its socket."""

    def __init__(self) -> None:
        self.speaker: Speaker | None = None
        head = RequestHead("POST", "/call", "", (*_JSON, ("Authorization", f"Bearer {_KEY}")))
        asked = json.dumps(BODY).encode()
        self._outbox = [Message(1, "http.request", head.encode(), asked)]

    def receive(self, message: Message, now: int) -> None:
        if self.speaker:
            self.speaker.receive(message, now)
        else:
            self.speaker = _speaker(json.loads(message.payload)["transport"]["websocketCallUrl"])

    def due(self, now: int) -> list[Message]:
        sent, self._outbox = self._outbox, []
        return sent + (self.speaker.due(now) if self.speaker else [])

    def next_deadline(self) -> int | None:
        return self.speaker.next_deadline() if self.speaker else None


def _answered(message: Message) -> Message:
    told = answerer.answer(json.loads(message.payload)["message"])
    head = ResponseHead(200, "OK", _JSON).encode()
    return Message(message.channel, "webhook.response", head, json.dumps(told).encode())


def record_call(store_url: str) -> str:
    """Hold the call in virtual time and record it; the session."""
    options = Options(transcripts=("The weather in Oslo?",), replies=("It rains.",))
    caller = Caller()
    service = VapiSimulator(7, WALL_NS, options)
    run = Loopback(caller, service, limit_ns=_LIMIT_NS, wire=_WIRE, application=_answered)
    clock = VirtualClock(wall_ns=WALL_NS)
    with closing(open_store(store_url, create=True)) as store:
        writer = Writer(store, clock, Secrets(b"the key of the mutants' tape"))
        writer.start()
        tape = writer.open("vapi", "mutants")
        channels: dict[int, int] = {}
        for crossing in run:
            clock.advance_to(crossing.at_ns)
            channel = crossing.message.channel
            if channel not in channels:
                channels[channel] = tape.channel(_kind(crossing.message), "/")
            for kind, body in _parts(crossing):
                tape.record(channels[channel], crossing.sender, kind, _type(crossing), body)
        tape.end()
        writer.close()
    assert caller.speaker
    assert caller.speaker.failed is None, caller.speaker.failed
    return tape.session


def _kind(message: Message) -> ChannelKind:
    kinds: dict[str, ChannelKind] = {"http": "http", "webhook": "webhook", "ws": "ws"}
    return kinds[message.kind.partition(".")[0]]


def _type(crossing: Crossing) -> str:
    message = crossing.message
    if message.kind == "webhook.request":
        hooks = provider("vapi").WEBHOOKS
        assert hooks
        return hooks.read(message.payload).type
    if message.kind == "http.request":
        head = RequestHead.decode(message.body)
        return f"{head.method} {head.path}"
    return ""


def _parts(crossing: Crossing) -> Iterator[tuple[Kind, bytes]]:
    """The events of a message; a webhook came to the recorder's address."""
    message = crossing.message
    body = message.body
    if message.kind == "webhook.request":
        body = RequestHead("POST", f"{PREFIX}vapi", "", _JSON).encode()
    yield message.kind, body
    if message.kind.startswith(("http.", "webhook.")):
        yield "http.chunk", message.payload
        yield "http.chunk", b""


async def hold(url: str) -> str | None:
    """The same call by a real client; what went wrong for it, or None."""
    headers = {"Authorization": f"Bearer {_KEY}"}
    async with httpx.AsyncClient(headers=headers, trust_env=False) as http:
        made = (await http.post(f"{url}/vapi/call", json=BODY)).raise_for_status().json()
    target = made["transport"]["websocketCallUrl"]
    speaker = _speaker(target)
    base = f"http://{urlsplit(target).netloc}"
    await Conversation(speaker, base, SystemClock(), SPEED).run(60)
    return speaker.failed
