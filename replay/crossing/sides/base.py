"""What a provider's side offers to crossing, and what the sides share."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from recorder.events import Event, Machine
from recorder.pricing.conversation import Conversation
from recorder.pricing.estimate import Bill
from recorder.pricing.prices import PriceBook
from recorder.trial.scenario import Tool

Json = dict[str, Any]


class Voice(NamedTuple):
    """A voice by its `maker` (`openai`, `11labs`, …) and its name there."""

    maker: str
    name: str


class Agent(NamedTuple):
    """What the agent of a tape was told. `instructions` None: the tape does not tell. `lost` names
    what no other provider can be told, a line each."""

    instructions: str | None
    tools: tuple[Tool, ...]
    voice: Voice | None
    model: str | None
    lost: tuple[str, ...]


class Dressed(NamedTuple):
    """The table `[provider.NAME]` of a scenario that stands for an agent, and what of it cannot be
    had here, a line each."""

    settings: Mapping[str, Any]
    lost: tuple[str, ...]


class Words(NamedTuple):
    """What a simulator's transcriber hears and what its agent says, in turn; `greeting` is what the
    agent says first, None where the caller begins."""

    transcripts: tuple[str, ...]
    replies: tuple[str, ...]
    greeting: str | None


def in_voice(agent: Agent, maker: str, voices: Container[str], name: str) -> Dressed:
    """The settings of a provider called `name` that has only the `voices` of one maker."""
    voice = agent.voice
    if voice is None:
        return Dressed({}, ())
    if voice.maker == maker and voice.name in voices:
        return Dressed({"voice": voice.name}, ())
    return Dressed({}, (f"voice {voice.maker} {voice.name}: {name} has its own",))


class Side(Protocol):
    """A module of `sides`."""

    def agent(self, events: Iterable[Event]) -> Agent:
        """The agent of a tape, as it was when the conversation began. Bodies may lack audio."""
        ...

    def dressed(self, agent: Agent) -> Dressed:
        """What of an agent this provider takes beside instructions, tools and first message."""
        ...

    def simulator(self, seed: int, wall_ns: int, words: Words) -> Machine:
        """A seeded stand-in for the provider, at `wall_ns` since 1970."""
        ...

    def estimate(self, talk: Conversation, book: PriceBook) -> Bill:
        """What a conversation is expected to cost here, as `sides` of a trial set it up."""
        ...


def json_object(body: bytes) -> Json:
    """The object that a JSON text is; empty if it is none."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def inner(value: Any, *path: str) -> Any:
    """What stands at a path of objects; None if there is nothing."""
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def function(described: Any) -> Tool | None:
    """A function as providers describe it: name, description, JSON schema; None if it is none."""
    name = inner(described, "name")
    if not isinstance(name, str) or not name:
        return None
    schema = inner(described, "parameters")
    parameters = schema if isinstance(schema, Mapping) else {"type": "object", "properties": {}}
    return Tool(name, str(inner(described, "description") or ""), parameters)


def is_function(tool: Any) -> bool:
    """Whether a tool of OpenAI is a function."""
    return bool(inner(tool, "type") == "function")


def lost_tools(tools: Iterable[Any]) -> Iterator[str]:
    """Tools of OpenAI that nobody else has, a line each."""
    for tool in tools:
        if not is_function(tool):
            yield f"a tool of type {inner(tool, 'type')}: only functions are"
