"""OpenAI Realtime: the agent is the session (`session.created`, `session.updated`), in the form of
today's API or of its beta."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from recorder.counting import counted
from recorder.events import Event, Machine
from recorder.pricing.conversation import Assumptions, Conversation
from recorder.pricing.estimate import Bill, realtime
from recorder.pricing.prices import PriceBook
from recorder.trial.openai_wording import merged
from recorder.trial.sides.openai import MODEL
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
from replay.simulators import openai as simulated

_MAKER = "openai"
_VOICES = ("alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar")
_TRANSCRIBER = "gpt-4o-mini-transcribe"
_HEARD = frozenset({"input_audio_buffer.speech_started", "response.created"})
_SETTINGS = ("turn_detection", "transcription", "noise_reduction")


def agent(events: Iterable[Event]) -> Agent:
    """The session as the service confirmed it last before the user was heard or answered; see
    `Side`. Where it confirmed nothing, what the client asked for."""
    asked: Json = {}
    told: Json = {}
    has_begun, changes = False, 0
    for event in events:
        if event.kind != "ws.text":
            continue
        has_begun = has_begun or event.type in _HEARD
        if event.type == "session.update" and event.sender == "client":
            session = inner(read(event.body), "session") or {}
            changes += has_begun
            asked = asked if has_begun else merged(asked, session)
        elif event.type in ("session.created", "session.updated") and not has_begun:
            told = inner(read(event.body), "session") or {}
    return _agent(told or asked, changes)


def _agent(session: Json, changes: int) -> Agent:
    tools = session.get("tools") or []
    name = inner(session, "audio", "output", "voice") or session.get("voice")
    instructions, model = session.get("instructions"), session.get("model")
    return Agent(
        instructions if isinstance(instructions, str) else None,
        tuple(found for each in tools if is_function(each) if (found := function(each))),
        Voice(_MAKER, name) if isinstance(name, str) else None,
        model if isinstance(model, str) else None,
        tuple(_lost(session, tools, changes)),
    )


def _lost(session: Json, tools: Iterable[Any], changes: int) -> Iterator[str]:
    yield from lost_tools(tools)
    for name in _SETTINGS:
        value = inner(session, "audio", "input", name) or session.get(f"input_audio_{name}")
        value = value or session.get(name)
        if value is not None:
            yield f"{name}: it is set up as in a trial"
    if session.get("prompt"):
        yield "prompt: what a stored prompt says is not on the tape"
    if changes:
        yield f"settings that were changed in the conversation ({counted(changes, 'time')})"


def dressed(agent: Agent) -> Dressed:
    """The voice, if it is one of OpenAI's; see `Side`."""
    return in_voice(agent, _MAKER, _VOICES, "OpenAI")


def simulator(seed: int, wall_ns: int, words: Words) -> Machine:
    """See `Side`. A greeting is a reply like others."""
    replies = words.replies
    if words.greeting is not None:
        replies = (words.greeting, *replies)
    options = simulated.Options(transcripts=words.transcripts, replies=replies)
    return simulated.OpenAISimulator(seed, wall_ns, options)


def estimate(talk: Conversation, book: PriceBook) -> Bill:
    """See `Side`."""
    return realtime(talk, MODEL, Assumptions(), book, _TRANSCRIBER)
