"""GPT-Live: the agent is the session as `session.started` tells it: the voice, and the model behind
it, which has the tools."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final

from recorder.counting import counted
from recorder.events import Event, Machine
from recorder.pricing.conversation import Conversation
from recorder.pricing.estimate import Bill, by_second
from recorder.pricing.prices import PriceBook
from recorder.trial.scenario import Tool
from recorder.trial.sides.openai_live import MODEL
from replay.crossing.sides.base import (
    Agent,
    Dressed,
    Json,
    Voice,
    Words,
    function,
    in_voice,
    inner,
    is_function,
    lost_tools,
)
from replay.crossing.sides.base import json_object as read
from replay.simulators import openai_live as simulated

_MAKER = "openai"
# types/live/built_in_voice.py of openai-python 3.57
# fmt: off
_VOICES: Final = frozenset((
    "alloy", "ash", "ballad", "beacon", "bossa", "cedar", "cinder", "coral", "delta", "echo",
    "gleam", "marin", "meridian", "quartz", "ripple", "sage", "shida", "shimmer", "stone",
    "tempo", "verse", "vesper", "willow",
))
# fmt: on
_FRAMES = ("session.started", "session.start", "session.update", "session.delegation.created")
_APPENDED = ("instructions", "thinking", "commentary")
_HEARD = "session.input_transcript.delta"
_DELEGATION = Tool(
    "delegation",
    "Hand what the caller wants to the application, and get its result.",
    {"type": "object", "properties": {}},
)
_DONE: Final = {
    "session.input_audio.mute": "silence of a muted microphone",
    "session.output_audio.fixture.play": "audio that the client had played",
    "transport.dtmf.send": "keys of the telephone that the client sent",
    "decision.create": "decisions that the client asked for",
}


class _Reading:
    """What the events of a session tell of its agent."""

    def __init__(self) -> None:
        self.asked: Json = {}
        self.told: Json = {}
        self.is_delegated = False  # to the client
        self.later: Counter[str] = Counter()  # what the client did in the conversation
        self._has_begun = False

    def take(self, event: Event) -> None:
        """An event in the order of the tape."""
        if event.kind != "ws.text":
            return
        self._has_begun = self._has_begun or event.type == _HEARD
        if event.sender == "client" and event.type in _DONE:
            self.later[event.type] += 1
        elif event.type in _FRAMES:
            self._frame(event)
        elif event.sender == "client" and self._has_begun:
            self._appended(event)

    def _frame(self, event: Event) -> None:
        document = read(event.body)
        session = inner(document, "session")
        if event.type == "session.delegation.created":
            target = inner(document, "delegation", "target")
            self.is_delegated = self.is_delegated or target == "client"
        elif event.type == "session.update":
            self.later[event.type] += 1
        elif isinstance(session, dict) and event.type == "session.start":
            self.asked = self.asked or session
        elif isinstance(session, dict):  # sidebands get it, too
            self.told = self.told or session

    def _appended(self, event: Event) -> None:
        """Before the caller was heard it is the wish for a greeting; for a delegation a result."""
        _, _, kind = event.type.removesuffix(".append").partition("session.")
        if kind in _APPENDED and not read(event.body).get("delegation_id"):
            self.later[kind] += 1


def agent(events: Iterable[Event]) -> Agent:
    """The session as it was started; see `Side`. The instructions of the model behind the voice
    follow those of the voice, where they are others. Work that was delegated to the client is a
    function without arguments, because the wire tells no task."""
    reading = _Reading()
    for event in events:
        reading.take(event)
    session = reading.told or reading.asked
    behind = inner(session, "delegation", "responses")
    tools = inner(behind, "tools") or []
    told = (session.get("instructions"), inner(behind, "instructions"))
    texts = dict.fromkeys(text for text in told if isinstance(text, str) and text)
    name, model = inner(session, "audio", "output", "voice"), session.get("model")
    functions = tuple(found for each in tools if is_function(each) if (found := function(each)))
    return Agent(
        "\n\n".join(texts) or None,
        (*functions, _DELEGATION) if reading.is_delegated else functions,
        Voice(_MAKER, name) if isinstance(name, str) else None,
        model if isinstance(model, str) else None,
        tuple(_lost(session, tools, reading)),
    )


def _lost(session: Json, tools: Iterable[Any], reading: _Reading) -> Iterator[str]:
    model = inner(session, "delegation", "responses", "model")
    if isinstance(model, str):
        yield f"model {model} behind the voice"
    if reading.is_delegated:
        stands = "a function without arguments stands for it"
        yield f"what was delegated: the wire tells no task; {stands}"
    yield from lost_tools(tools)
    if isinstance(inner(session, "audio", "output", "voice"), dict):
        yield "a voice of one's own"
    for key in ("input", "triggers"):
        if session.get(key):
            yield f"{key}: {len(session[key])} of the session"
    for kind, count in sorted(reading.later.items()):
        if kind in _DONE:
            yield _DONE[kind]
        elif kind in _APPENDED:
            yield f"{kind} that the client appended in the conversation ({counted(count, 'time')})"
        else:
            yield f"settings that were changed in the conversation ({counted(count, 'time')})"


def dressed(agent: Agent) -> Dressed:
    """The voice, if it is one of GPT-Live's; see `Side`."""
    return in_voice(agent, _MAKER, _VOICES, "GPT-Live")


def simulator(seed: int, wall_ns: int, words: Words) -> Machine:
    """See `Side`. A greeting is given by the caller, and is no reply."""
    options = simulated.Options(transcripts=words.transcripts, replies=words.replies)
    return simulated.LiveSimulator(seed, wall_ns, options)


def estimate(talk: Conversation, book: PriceBook) -> Bill:
    """The session alone: how much the model behind the voice will have to do is not known; see
    `Side`."""
    return by_second(talk, MODEL, book)
