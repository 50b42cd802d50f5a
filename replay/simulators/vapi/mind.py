"""The simulated model: what it says and which tools it calls, by simple rules.

It calls a tool if the caller's words contain a cue, or a telling word of a function's name; it
ends the call if it may and the caller says goodbye. After a tool's result it answers in words that
quote it. Otherwise it says the next scripted reply or something that repeats what it heard.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from replay.simulators.common import arguments, words
from replay.simulators.vapi.errors import Json

_GOODBYE = {"goodbye": "endCall", "good bye": "endCall", "bye bye": "endCall"}


class Call(NamedTuple):
    """A tool to call."""

    tool: Json
    arguments: Json

    @property
    def name(self) -> str:
        return name_of(self.tool)


def name_of(tool: Mapping[str, Any]) -> str:
    """What the model knows a tool by."""
    return str((tool.get("function") or {}).get("name") or tool["type"])


class Mind:
    """Decides, with chance of its own, what the assistant does next."""

    def __init__(
        self, chance: random.Random, replies: Sequence[str], cues: Mapping[str, str]
    ) -> None:
        self._chance, self._cues = chance, cues
        self._replies: Iterator[str] = iter(replies)

    def calls(self, said: str, tools: Sequence[Json]) -> list[Call]:
        """The tools that what was said asks for."""
        return [
            Call(tool, self._arguments(tool, said)) for tool in tools if self._wants(tool, said)
        ]

    def _wants(self, tool: Json, said: str) -> bool:
        if tool["type"] == "function":
            return words.mentions(said, name_of(tool), self._cues)
        if tool["type"] == "endCall":
            lowered, known = said.lower(), {**_GOODBYE, **self._cues}
            ends = {"endCall", name_of(tool)}
            return any(cue.lower() in lowered for cue, name in known.items() if name in ends)
        return False

    def _arguments(self, tool: Json, said: str) -> Json:
        schema = (tool.get("function") or {}).get("parameters")
        made: Json = json.loads(arguments.write(schema, said, self._chance))
        return made

    def words(self, said: str, result: str | None) -> str:
        """What the assistant says to the caller, or after a tool's result."""
        scripted = next(self._replies, None)
        return words.reply(self._chance, said, result) if scripted is None else scripted
