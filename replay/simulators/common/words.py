"""Words: what a user is taken to have said, what a model says, and which tool that concerns."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping

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
_PIECE = re.compile(r"\s?\w{1,15}|\s?[^\w\s]|\s")


def pieces(text: str) -> list[str]:
    """Text cut into token-like pieces of at most 16 characters; joined they are the text."""
    return _PIECE.findall(text)


def mentions(said: str, name: str, cues: Mapping[str, str]) -> bool:
    """Whether what was said contains a cue of the tool, or a telling word of its name."""
    lowered = said.lower()
    if any(cue.lower() in lowered for cue, tool in cues.items() if tool == name):
        return True
    heard = set(re.findall(r"\w+", lowered))
    telling = {word.lower() for word in _WORD.findall(name)} - _EMPTY_WORDS
    return any(word in heard or f"{word}s" in heard for word in telling)


def reply(chance: random.Random, said: str, output: str | None) -> str:
    """An answer that quotes a tool's output, or what was said, or greets."""
    if output is not None:
        return chance.choice(_RESULTS).format(output=_shortened(output))
    if not said:
        return chance.choice(_GREETINGS)
    quoted = _shortened(said)
    ended = quoted if quoted[-1] in ".!?…" else f"{quoted}."
    return chance.choice(_ECHOES).format(said=ended)


def _shortened(text: str) -> str:
    return text if len(text) <= _QUOTED else f"{text[:_QUOTED]}…"


def utterance(chance: random.Random) -> Iterator[str]:
    """Words that an unscripted user is taken to have said, without end."""
    start = chance.randrange(4) * 3
    while True:
        yield from _UTTERANCES[start:]
        start = 0
