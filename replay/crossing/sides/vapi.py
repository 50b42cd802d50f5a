"""Vapi: the agent is the assistant, as `POST /call` gives it, or as deliveries and answers tell it
where the call has a stored one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from recorder.counting import counted
from recorder.events import Event, Machine
from recorder.pricing.conversation import Assumptions, Conversation
from recorder.pricing.estimate import Bill, Chain, chain
from recorder.pricing.prices import PriceBook
from recorder.trial.openai_wording import merged
from replay.crossing.sides.base import Agent, Dressed, Json, Voice, Words, function, inner
from replay.crossing.sides.base import json_object as read
from replay.simulators import vapi as simulated

_MODEL = "openai/gpt-4.1"  # of the assistant that a trial makes
_SETTLE_MS = 500  # costs are complete so long after a simulated call
_CREATES = ("POST /call", "POST /call/web", "POST /call/phone")
_HOLDERS = (("message", "assistant"), ("message", "call", "assistant"), ("assistant",))
_KEPT = frozenset({"name", "model", "voice", "firstMessage", "firstMessageMode", "server"})
_SILENT = frozenset({"id", "orgId", "createdAt", "updatedAt", "clientMessages", "serverMessages"})


def agent(events: Iterable[Event]) -> Agent:
    """The assistant of the call; see `Side`. What a request says comes first, then what is told
    of it elsewhere; the system prompt of the messages is what is left."""
    asked: Json = {}
    told: Json = {}
    prompt: str | None = None
    for event, document in _documents(events):
        if event.sender == "client" and event.type in _CREATES:
            asked = _asked(document)
            continue
        found = _assistant(event, document)
        if found and not inner(told, "model"):
            told = found
        prompt = prompt or _prompt(document)
    assistant = merged(told, asked)
    return _agent(assistant, prompt)


def _documents(events: Iterable[Event]) -> Iterator[tuple[Event, Json]]:
    """The JSON of frames and of whole HTTP bodies, each with its last event."""
    bodies: dict[tuple[int, str], bytes] = {}
    for event in events:
        key = (event.channel, event.sender)
        if event.kind == "http.chunk" and event.body:
            bodies[key] = bodies.get(key, b"") + event.body
        elif event.kind == "http.chunk":
            yield event, read(bodies.pop(key, b""))
        elif event.kind == "ws.text":
            yield event, read(event.body)


def _asked(document: Json) -> Json:
    """The assistant of a request for a call, with what overrides it."""
    assistant = document.get("assistant")
    over = document.get("assistantOverrides")
    return merged(
        assistant if isinstance(assistant, Mapping) else {},
        over if isinstance(over, Mapping) else {},
    )


def _assistant(event: Event, document: Json) -> Json:
    """An assistant that a delivery or an answer tells of."""
    if event.sender == "provider" and event.type.endswith(("/assistant", "/assistant/{id}")):
        return document
    found = (inner(document, *path) for path in _HOLDERS)
    return next((dict(each) for each in found if isinstance(each, Mapping)), {})


def _prompt(document: Json) -> str | None:
    """The system prompt, as the messages of a conversation have it."""
    for path in (("message", "artifact", "messages"), ("message", "messages"), ("messages",)):
        found = _system(inner(document, *path))
        if found:
            return found
    return None


def _system(messages: Any) -> str | None:
    if not isinstance(messages, list):
        return None
    said = [each for each in messages if inner(each, "role") == "system"]
    texts = (inner(each, "content") or inner(each, "message") for each in said)
    return "\n".join(each for each in texts if isinstance(each, str)) or None


def _agent(assistant: Json, prompt: str | None) -> Agent:
    model = inner(assistant, "model") or {}
    tools = [each for each in inner(model, "tools") or [] if isinstance(each, Mapping)]
    voice = inner(assistant, "voice", "provider"), inner(assistant, "voice", "voiceId")
    name = inner(model, "model")
    return Agent(
        _system(inner(model, "messages")) or inner(model, "systemPrompt") or prompt,
        tuple(
            found
            for each in tools
            if each.get("type") == "function" and (found := function(each.get("function")))
        ),
        Voice(str(voice[0]), str(voice[1])) if all(voice) else None,
        name if isinstance(name, str) else None,
        tuple(_lost(assistant, model, tools)),
    )


def _lost(assistant: Json, model: Json, tools: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for tool in tools:
        if tool.get("type") != "function":
            yield f"a tool of type {tool.get('type')}: only functions are"
        elif tool.get("messages"):
            yield f"what is said while {inner(tool, 'function', 'name')} runs (tool messages)"
    if model.get("toolIds"):
        yield f"{counted(len(model['toolIds']), 'stored tool')}: not defined on the tape"
    others = sorted(key for key in assistant if key not in _KEPT | _SILENT)
    for key in others:
        if assistant[key] is not None:
            yield f"{key}: a setting of Vapi's assistants"


def dressed(agent: Agent) -> Dressed:
    """A voice of anybody whom Vapi passes on; see `Side`."""
    if agent.voice is None:
        return Dressed({}, ())
    return Dressed({"voice": {"provider": agent.voice.maker, "voiceId": agent.voice.name}}, ())


def simulator(seed: int, wall_ns: int, words: Words) -> Machine:
    """See `Side`. A greeting is the assistant's first message."""
    options = simulated.Options(
        transcripts=words.transcripts, replies=words.replies, settle_ms=_SETTLE_MS
    )
    return simulated.VapiSimulator(seed, wall_ns, options)


def estimate(talk: Conversation, book: PriceBook) -> Bill:
    """See `Side`."""
    return chain(talk, _MODEL, Assumptions(), book, Chain())
