"""What was said and done in a call: the stored messages in both of their shapes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from replay.simulators.vapi.errors import Json


class Span(NamedTuple):
    """From when to when something was said, in ms since 1970."""

    start_ms: int
    end_ms: int


class History:
    """The messages of one call. `started_ms` is when its media began (ms since 1970)."""

    def __init__(self, started_ms: int) -> None:
        self.items: list[Json] = []
        self._started_ms = started_ms

    def _since(self, ms: int) -> float:
        return max(0, ms - self._started_ms) / 1000

    def system(self, text: str, ms: int) -> None:
        """The prompt."""
        self.items.append({"role": "system", "message": text, "time": ms, "secondsFromStart": 0})

    def user(self, text: str, span: Span) -> None:
        """What the caller said, with an even share of the time for each word."""
        words = text.split()
        share = (span.end_ms - span.start_ms) / max(1, len(words))
        confidence = [
            {
                "word": word,
                "start": _tenths(span.start_ms + share * index),
                "end": _tenths(span.start_ms + share * (index + 1)),
                "confidence": 1,
                "language": "",
                "punctuated_word": word,
            }
            for index, word in enumerate(words)
        ]
        self.items.append(
            {**self._spoken("user", text, span), "metadata": {"wordLevelConfidence": confidence}}
        )

    def bot(self, text: str, span: Span) -> None:
        """What was heard of the assistant."""
        self.items.append({**self._spoken("bot", text, span), "source": ""})

    def _spoken(self, role: str, text: str, span: Span) -> Json:
        return {
            "role": role,
            "message": text,
            "time": span.start_ms,
            "endTime": span.end_ms,
            "secondsFromStart": self._since(span.start_ms),
            "duration": span.end_ms - span.start_ms,
        }

    def tool_calls(self, calls: Sequence[Json], ms: int) -> None:
        """The model calls tools; their arguments are kept as text."""
        self.items.append(
            {
                "toolCalls": list(calls),
                "role": "tool_calls",
                "message": "",
                "time": ms,
                "secondsFromStart": self._since(ms),
            }
        )

    def tool_result(self, call_id: str, name: str, result: str, ms: int, metadata: Any) -> None:
        """What a tool answered."""
        self.items.append(
            {
                "role": "tool_call_result",
                "time": ms,
                "secondsFromStart": self._since(ms),
                "name": name,
                "result": result,
                "metadata": metadata if isinstance(metadata, dict) else {},
                "toolCallId": call_id,
            }
        )

    def openai(self) -> list[Json]:
        """The messages as OpenAI's chat API has them."""
        return [_as_openai(item) for item in self.items]

    def transcript(self, bot: str, user: str) -> str:
        """Both sides' words, a line each, under these labels."""
        labels = {"bot": bot, "user": user}
        return "".join(
            f"{labels[item['role']]}: {item['message']}\n"
            for item in self.items
            if item["role"] in labels
        )

    def said(self, role: str) -> list[str]:
        """The words of one role, in order."""
        return [item["message"] for item in self.items if item["role"] == role]


def _tenths(ms: float) -> float:
    """To a tenth; a whole number as one, as JavaScript writes it."""
    rounded = round(ms, 1)
    return int(rounded) if rounded == int(rounded) else rounded


def _as_openai(item: Json) -> Json:
    role = item["role"]
    if role == "tool_calls":
        return {"role": "assistant", "content": "", "tool_calls": item["toolCalls"]}
    if role == "tool_call_result":
        return {"role": "tool", "tool_call_id": item["toolCallId"], "content": item["result"]}
    return {"role": "assistant" if role == "bot" else role, "content": item["message"]}


def function_call(call_id: str, name: str, arguments: Json, *, as_text: bool) -> Json:
    """A tool call; its arguments are an object on webhooks and text in stored messages."""
    written: Any = json.dumps(arguments, ensure_ascii=False) if as_text else arguments
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": written}}
