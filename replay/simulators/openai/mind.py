"""The simulated model: what it says and which functions it calls, by simple rules.

It calls a function if it must (`tool_choice`), if the user's words contain a cue, or if they
contain a word of the function's name; after a function's output it answers in words that quote
it. Otherwise it says the next scripted reply or something that repeats what it heard.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from replay.simulators.common import arguments, words
from replay.simulators.openai.conversation import Item
from replay.simulators.openai.errors import Json


class Words(NamedTuple):
    """Something to say."""

    text: str
    phase: str | None = None


class Call(NamedTuple):
    """A function to call."""

    name: str
    arguments: str


Output = Words | Call


@dataclass(frozen=True)
class Question:
    """What a response is made from: the items it sees and what it may do.

    `insistent` says that the choice of tool was made for this response alone, so that it holds
    even right after a function's output.
    """

    items: Sequence[Item]
    tools: Sequence[Json]
    choice: str | Json
    insistent: bool
    parallel: bool
    remarks: bool


class Mind:
    """Decides, with chance of its own, what the model does next."""

    def __init__(
        self, chance: random.Random, replies: Sequence[str], cues: Mapping[str, str]
    ) -> None:
        self._chance = chance
        self._replies: Iterator[str] = iter(replies)
        self._cues = cues

    def answer(self, question: Question) -> list[Output]:
        """The outputs of one response, at least one."""
        output = _last_output(question.items)
        said = _last_said(question.items)
        if output is None or question.insistent:
            calls = self._calls(question, said)
            if calls and question.remarks:
                return [Words("One moment, I am looking that up.", "commentary"), *calls]
            if calls:
                return calls
        return [Words(self._words(said, output))]

    def _calls(self, question: Question, said: str) -> list[Output]:
        tools = {tool["name"]: tool for tool in question.tools if tool["type"] == "function"}
        wanted = self._chosen(question.choice, tools, said)
        if not question.parallel:
            wanted = wanted[:1]
        return [
            Call(name, arguments.write(tools[name].get("parameters"), said, self._chance))
            for name in wanted
        ]

    def _chosen(self, choice: str | Json, tools: Mapping[str, Json], said: str) -> list[str]:
        if choice == "none":
            return []
        if isinstance(choice, dict):
            return [choice["name"]] if choice.get("name") in tools else []
        mentioned = [name for name in tools if words.mentions(said, name, self._cues)]
        return mentioned or (list(tools)[:1] if choice == "required" else [])

    def _words(self, said: str, output: str | None) -> str:
        scripted = next(self._replies, None)
        return words.reply(self._chance, said, output) if scripted is None else scripted


def _last_output(items: Sequence[Item]) -> str | None:
    """The outputs since the last message, if a function's output is the newest thing."""
    outputs: list[str] = []
    for item in reversed(items):
        if item.body["type"] != "function_call_output":
            break
        outputs.insert(0, item.body["output"])
    return " ".join(outputs) if outputs else None


def _last_said(items: Sequence[Item]) -> str:
    """What the user said since the model last spoke or called a function."""
    said: list[str] = []
    for item in reversed(items):
        role = item.body.get("role")
        if said and (role == "assistant" or item.body["type"] == "function_call"):
            break
        if role == "user":
            said.insert(0, item.text())
    return " ".join(filter(None, said))
