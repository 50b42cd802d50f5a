"""Conversations in virtual time, and their digests; also a program that prints these.

    python virtual_runs.py NAME…      # one line each: NAME UNORDERED ORDERED

It needs the package and its dependencies only, so that any Python can run it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from recorder.audio import pcm
from recorder.events import Event, Message
from recorder.heads import RequestHead, ResponseHead
from recorder.providers import provider
from recorder.trial.openai_wording import OpenAIWording
from recorder.trial.speaker import Speaker
from recorder.trial.steps import AwaitReply, Interrupt, Say, Speak, Step
from recorder.trial.vapi_wording import VapiWording
from replay.digest import tape_digest
from replay.faults import Faulty, parse_fault
from replay.loopback import Crossing, Loopback, Wire
from replay.match.rulebook import Rulebook
from replay.simulators.common.voice import synthesise
from replay.simulators.openai import OpenAISimulator
from replay.simulators.openai import Options as OpenAIOptions
from replay.simulators.vapi import Options as VapiOptions
from replay.simulators.vapi import VapiSimulator

WALL_NS = 1_790_000_000_000_000_000
LIMIT_NS = 180_000_000_000
WIRE = Wire(30_000_000, 20_000_000)
QUESTION = pcm.to_bytes(synthesise("What is the weather like in London"))
STOP = pcm.to_bytes(synthesise("Stop please"))
TOOL = {
    "type": "function",
    "name": "get_weather",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}
STEPS: list[Step] = [
    *(Say("Hello."), AwaitReply(), Speak(QUESTION), Interrupt(700, STOP)),
    *(AwaitReply(), Say("And the weather in Oslo?"), AwaitReply()),
]
REPLIES = ("Good morning.", "It rains in London and will do so for days.", "As you like.", "Bye.")


def events_of(crossings: Iterable[Crossing], name: str) -> list[Event]:
    """What a recorder would have on its tape."""
    tracker = provider(name).tracker()
    made: list[Event] = []

    def add(at_ns: int, channel: int, sender: str, kind: str, body: bytes) -> None:
        type_ = tracker.inspect(channel, sender, kind, "", body).type  # type: ignore[arg-type]
        event = Event("run", len(made) + 1, at_ns, channel, sender, kind, type_, body)  # type: ignore[arg-type]
        made.append(event)

    for at_ns, sender, message in crossings:
        add(at_ns, message.channel, sender, message.kind, message.body)
        if message.kind.startswith(("http.", "webhook.")):
            for piece in (message.payload, b""):
                add(at_ns, message.channel, sender, "http.chunk", piece)
    return made


def openai(seed: int, *faults: str) -> list[Event]:
    """A typed turn, a spoken one with a function call that is interrupted, and a typed one."""
    wording = OpenAIWording(turn_detection={"type": "server_vad"}, tools=[TOOL])
    head = RequestHead("GET", "/v1/realtime", "model=gpt-realtime", (("api-key", "k"),))
    client = Speaker(head, STEPS, wording, {"get_weather": lambda _: '{"sky":"rain"}'})
    machine = OpenAISimulator(seed, WALL_NS, OpenAIOptions(("What is new?",), REPLIES))
    plan = [parse_fault(fault) for fault in faults]
    faulty = Faulty(machine, plan, provider("openai"), seed=seed)
    return events_of(Loopback(client, faulty, limit_ns=LIMIT_NS, wire=WIRE), "openai")


class Caller:
    """A client of Vapi: makes a call, then speaks on its socket."""

    def __init__(self) -> None:
        self._speaker: Speaker | None = None
        self._asked = False

    def receive(self, message: Message, now: int) -> None:
        if self._speaker:
            self._speaker.receive(message, now)
            return
        url = json.loads(message.payload)["transport"]["websocketCallUrl"]
        head = RequestHead("GET", urlsplit(url).path)
        self._speaker = Speaker(head, STEPS_SPOKEN, VapiWording(), channel=2)

    def due(self, now: int) -> list[Message]:
        if self._speaker:
            return self._speaker.due(now)
        if self._asked:
            return []
        self._asked = True
        fields = (("Authorization", "Bearer k"), ("Host", "vapi.test"))
        head = RequestHead("POST", "/call", "", (*fields, ("Content-Type", "application/json")))
        assistant = {
            "model": {"provider": "openai", "model": "gpt-4o"},
            "firstMessage": "Hi there.",
        }
        body = {"assistant": assistant, "transport": {"provider": "vapi.websocket"}}
        return [Message(1, "http.request", head.encode(), json.dumps(body).encode())]

    def next_deadline(self) -> int | None:
        return self._speaker.next_deadline() if self._speaker else None


STEPS_SPOKEN: list[Step] = [AwaitReply(), Speak(QUESTION), AwaitReply()]


def acknowledged(message: Message) -> Message:
    """The answer of an application without an opinion."""
    head = ResponseHead(200, "OK", (("Content-Type", "application/json"),)).encode()
    return Message(message.channel, "webhook.response", head, b"{}")


def vapi(seed: int) -> list[Event]:
    """A call with a greeting and a spoken turn, and its webhooks."""
    options = VapiOptions(replies=REPLIES, server={"url": "http://team.test/hook"})
    machine = VapiSimulator(seed, WALL_NS, options)
    run = Loopback(Caller(), machine, limit_ns=LIMIT_NS, wire=WIRE, application=acknowledged)
    return events_of(run, "vapi")


RUNS: dict[str, tuple[str, Callable[[], list[Event]]]] = {
    "openai-1": ("openai", lambda: openai(1)),
    "openai-2": ("openai", lambda: openai(2)),
    "openai-faults": ("openai", lambda: openai(1, "chaos@type=response.* p=0.1")),
    "vapi": ("vapi", lambda: vapi(1)),
}


def digests(name: str) -> tuple[str, str]:
    """Both digests of one run."""
    told, run = RUNS[name]
    found, events = provider(told), run()
    book = Rulebook(found.RULES)
    plain, ordered = (
        tape_digest(events, found, book, order=order).digest for order in (False, True)
    )
    return plain, ordered


if __name__ == "__main__":
    for each in sys.argv[1:]:
        print(each, *digests(each))
