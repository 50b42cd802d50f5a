"""What the simulated model decides: whether there is work to delegate, and what is said.

There is work for the backend if it must call a function (`tool_choice`), if the user's words
contain a cue, or a word of a function's name; there is work for a client if they contain a cue, or
a question.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from replay.simulators.common import arguments, words
from replay.simulators.openai.errors import Json
from replay.simulators.openai_live.options import Options

REMARK = "One moment."


class Call(NamedTuple):
    """A function to call."""

    name: str
    arguments: str


class Mind:
    """Decides, with chance of its own."""

    def __init__(self, chance: random.Random, options: Options) -> None:
        self._chance, self._cues = chance, options.cues
        self._replies: Iterator[str] = iter(options.replies)

    def calls(self, said: str, backend: Json) -> list[Call]:
        """The functions that the backend calls for what was said."""
        given = backend.get("tools") or ()
        tools: dict[str, Json] = {
            tool["name"]: tool
            for tool in given
            if tool.get("type") == "function" and "name" in tool
        }
        wanted = self._wanted(backend.get("tool_choice"), tools, said)
        if backend.get("parallel_tool_calls") is False:
            wanted = wanted[:1]
        return [
            Call(name, arguments.write(tools[name].get("parameters"), said, self._chance))
            for name in wanted
        ]

    def _wanted(self, choice: object, tools: Mapping[str, Json], said: str) -> list[str]:
        if choice == "none":
            return []
        if isinstance(choice, dict):
            return [name for name in tools if name == choice.get("name")]
        mentioned = [name for name in tools if words.mentions(said, name, self._cues)]
        return mentioned or (list(tools)[:1] if choice == "required" else [])

    def asks(self, said: str) -> bool:
        """Whether what was said is work for a client."""
        lowered = said.lower()
        return "?" in said or any(cue.lower() in lowered for cue in self._cues)

    def words(self, said: str, output: str | None = None) -> str:
        """What is said to the user: scripted, or about a function's output, or about what was
        said."""
        scripted = next(self._replies, None)
        return words.reply(self._chance, said, output) if scripted is None else scripted

    def latency_ms(self, options: Options) -> float:
        """How long the voice takes to begin."""
        return options.latency_ms + self._chance.random() * options.jitter_ms
