"""The simulated model: what it says and which functions it calls, by simple rules.

It calls a function if it must (`tool_choice`), if the user's words contain a cue, or if they
contain a word of the function's name; after a function's output it answers in words that quote
it. Otherwise it says the next scripted reply or something that repeats what it heard.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from replay.simulators.openai import arguments
from replay.simulators.openai.conversation import Item
from replay.simulators.openai.errors import Json

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")
_EMPTY_WORDS = frozenset(
    re.findall(
        r"\w+",
        "get set do run make call the a an of to for by and in on find look up lookup fetch is it "
        "check tool function",
    )
)
_GREETINGS = (
    "Hello! How can I help you today?",
    "Hi there! What can I do for you?",
    "Good to hear from you. How can I help?",
)
_ECHOES = (
    "You said: {said} What would you like to do next?",
    "I understood: {said} Is there anything else?",
    "Thank you. I heard: {said} How can I help you further?",
)
_RESULTS = ("Here is what I found: {output}", "I looked it up: {output}", "The answer is: {output}")
_UTTERANCES = re.findall(
    r"\w+",
    "hello my name is robin and i would like to ask about my order please tell me when it "
    "arrives because i have to plan my day and there is nobody at home in the morning thank you",
)
_QUOTED = 240  # characters of what was said or found that an answer repeats
MS_PER_WORD = 350


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
        mentioned = [name for name in tools if self._mentions(said, name)]
        return mentioned or (list(tools)[:1] if choice == "required" else [])

    def _mentions(self, said: str, name: str) -> bool:
        lowered = said.lower()
        if any(cue.lower() in lowered for cue, tool in self._cues.items() if tool == name):
            return True
        heard = set(re.findall(r"\w+", lowered))
        words = {word.lower() for word in _WORD.findall(name)} - _EMPTY_WORDS
        return any(word in heard or f"{word}s" in heard for word in words)

    def _words(self, said: str, output: str | None) -> str:
        scripted = next(self._replies, None)
        if scripted is not None:
            return scripted
        if output is not None:
            return self._chance.choice(_RESULTS).format(output=_shortened(output))
        if not said:
            return self._chance.choice(_GREETINGS)
        quoted = _shortened(said)
        ended = quoted if quoted[-1] in ".!?…" else f"{quoted}."
        return self._chance.choice(_ECHOES).format(said=ended)


def _shortened(text: str) -> str:
    return text if len(text) <= _QUOTED else f"{text[:_QUOTED]}…"


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


def utterance(chance: random.Random) -> Iterator[str]:
    """Words that an unscripted user is taken to have said, without end."""
    start = chance.randrange(4) * 3
    while True:
        yield from _UTTERANCES[start:]
        start = 0
