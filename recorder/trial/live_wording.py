"""The words of GPT-Live, for a speaker.

There are no replies on the wire. What the voice says is one item as long as its words follow each
other within 800 ms; responses are those of the model behind it, which calls functions. Both
directions flow all the time.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

from recorder.spans import Codec
from recorder.trial.wording import (
    CallMade,
    Configured,
    Ready,
    Refused,
    ReplyBegan,
    ReplyEnded,
    Said,
    Signal,
    Sound,
    encoded,
    understood,
)

Json = Mapping[str, Any]
_GAP_MS = 800  # pipecat and livekit part the voice's words so
_ENDS = {
    "response.completed": "completed",
    "response.incomplete": "incomplete",
    "response.failed": "failed",
}


class LiveWording:
    """Events of one session; it remembers what is being said, so each session needs its own. With a
    `greeting` the voice is asked to say it."""

    codec: Codec = "pcm16"
    rate = 24_000
    manual_turns = False
    sends_binary = False
    keeps_microphone_open = True

    def __init__(self, greeting: Mapping[str, str] | None = None) -> None:
        self._greeting = greeting
        self._speech, self._text = 0, ""
        self._ends_ms: float | None = None
        self._readers: Mapping[str, Callable[[Json], list[Signal]]] = {
            "session.started": lambda event: [Ready(), Configured()],
            "session.output_audio.delta": self._sound,
            "session.output_transcript.delta": self._words,
            "response.event": self._nested,
            "session.closed": lambda event: [
                Refused(f"the provider ended the session: {event['reason']}", False)
            ],
            "error": lambda event: [
                Refused(f"the provider refused: {event['error']['message']}", False)
            ],
        }

    def configure(self) -> list[bytes]:
        """The greeting: the session itself was configured by its start."""
        return [] if self._greeting is None else [encoded(self._greeting)]

    def say(self, text: str) -> list[bytes]:
        """A typed message to the model behind the voice."""
        content = [{"type": "input_text", "text": text}]
        item = {"type": "message", "role": "user", "content": content}
        return [encoded({"type": "response.item.create", "item": item}), *self.reply()]

    def hear(self, audio: bytes) -> list[bytes]:
        """A piece of the user's audio."""
        text = base64.b64encode(audio).decode()
        return [encoded({"type": "session.input_audio.append", "audio": text})]

    def end_turn(self) -> list[bytes]:
        """Nothing: the model decides."""
        return []

    def reply(self) -> list[bytes]:
        """The model behind the voice is to go on."""
        return [encoded({"type": "response.create"})]

    def result(self, call: str, output: str) -> list[bytes]:
        """A function's output."""
        item = {"type": "function_call_output", "call_id": call, "output": output}
        return [encoded({"type": "response.item.create", "item": item})]

    def stop(self) -> list[bytes]:
        """Nothing: the model stops by itself when it is talked over."""
        return []

    def heard_until(self, item: str, ms: int) -> list[bytes]:
        """Nothing: the service has sent no more than was to be heard."""
        return []

    def listen(self, audio: bytes) -> list[Signal]:
        """There are no binary frames."""
        return [Refused("the provider sent a binary frame", False)]

    def read(self, body: bytes) -> list[Signal]:
        """What an event means; unknown types mean nothing."""
        return understood(body, self._meaning)

    def _meaning(self, event: Json) -> list[Signal]:
        reader = self._readers.get(str(event.get("type")))
        return reader(event) if reader else []

    @property
    def _name(self) -> str:
        return f"speech-{self._speech}"

    def _sound(self, event: Json) -> list[Signal]:
        return [Sound(self._name, base64.b64decode(event["delta"]))]

    def _words(self, event: Json) -> list[Signal]:
        start = float(event["start_ms"])
        if self._ends_ms is not None and start - self._ends_ms > _GAP_MS:
            self._speech, self._text = self._speech + 1, ""
        self._ends_ms = float(event["end_ms"])
        self._text += event["delta"]
        return [Said(self._name, self._text.strip())]

    def _nested(self, event: Json) -> list[Signal]:
        inner = event["event"]
        kind = inner["type"]
        if kind == "response.created":
            return [ReplyBegan(inner["response"]["id"])]
        if kind == "response.output_item.done" and inner["item"]["type"] == "function_call":
            item = inner["item"]
            return [CallMade("", item["call_id"], item["name"], item["arguments"])]
        if kind in _ENDS:
            response = inner["response"]
            error = response.get("error") or {}
            return [ReplyEnded(response["id"], _ENDS[kind], error.get("message") or "")]
        return []
