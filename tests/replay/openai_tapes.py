"""Conversations with the simulated Realtime API, held on virtual time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from calling import MS, hold

from recorder.audio import pcm
from recorder.events import Event, Message
from recorder.heads import RequestHead
from recorder.trial.openai_wording import OpenAIWording
from recorder.trial.speaker import Speaker, Tool
from recorder.trial.steps import AwaitReply, Interrupt, Say, Speak, Step
from replay.simulators.common.voice import synthesise
from replay.simulators.openai import OpenAISimulator, Options

WALL_NS = 1_790_000_000_000_000_000
HEAD = RequestHead(
    "GET", "/v1/realtime", "model=gpt-realtime", (("Authorization", "Bearer sk-a-made-up-key"),)
)
WEATHER = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}
REPLIES = ("Good morning, how can I help you today?", "It is eighteen degrees in Paris.", "Bye.")
LONG = ("That is a long story, and it takes a while until I have told you all of it, so listen.",)


def said(text: str) -> bytes:
    """Speech."""
    return pcm.to_bytes(synthesise(text))


TYPED: Sequence[Step] = (
    Say("Good morning."),
    AwaitReply(),
    Say("What is the weather in Paris?"),
    AwaitReply(),
    Say("Thank you."),
    AwaitReply(),
)
SPOKEN: Sequence[Step] = (
    Speak(said("make that eight")),
    Interrupt(600, said("no make it nine please")),
    AwaitReply(),
)


def simulator(seed: int = 1, **options: object) -> OpenAISimulator:
    """The service."""
    chosen = {"replies": REPLIES, **options}
    return OpenAISimulator(seed, WALL_NS, Options(**chosen))  # type: ignore[arg-type]


def typed(service: OpenAISimulator | None = None, **more: object) -> list[Event]:
    """Three typed turns; for the second the service calls a function."""
    wording = OpenAIWording("Be brief.", [WEATHER], spoken=False)
    tools: Mapping[str, Tool] = {"get_weather": lambda arguments: '{"celsius":18}'}
    speaker = Speaker(HEAD, TYPED, wording, tools)
    return hold(speaker, service or simulator(**more), 5 * MS)


def spoken(service: OpenAISimulator | None = None) -> list[Event]:
    """A spoken turn, a reply that the caller interrupts, and the reply to that."""
    wording = OpenAIWording("Be brief.", turn_detection={"type": "server_vad"})
    options = {"replies": LONG * 2, "pace": 1.5}
    return hold(Speaker(HEAD, SPOKEN, wording), service or simulator(2, **options), 5 * MS)


class Silent:
    """A provider that takes the connection and says nothing more, or not even that."""

    def __init__(self, answers: Sequence[Message] = ()) -> None:
        self._answers = list(answers)
        self.got: list[Message] = []
        self._outbox: list[Message] = []

    def receive(self, message: Message, now: int) -> None:
        self.got.append(message)
        if self._answers:
            self._outbox.append(self._answers.pop(0))

    def due(self, now: int) -> list[Message]:
        sent, self._outbox = self._outbox, []
        return sent

    def next_deadline(self) -> int | None:
        return None
