"""The words of the OpenAI Realtime API (GA), for a speaker."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from recorder.errors import RecorderError
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
    SpeechStarted,
    encoded,
    understood,
)

_CODECS: Mapping[str, tuple[Codec, int]] = {
    "audio/pcm": ("pcm16", 24_000),
    "audio/pcmu": ("pcmu", 8_000),
    "audio/pcma": ("pcma", 8_000),
}
# A response may have begun, or ended, before the wish for another arrived.
_BENIGN = frozenset({"response_cancel_not_active", "conversation_already_has_active_response"})
_TEXT_ENDS = {
    "response.output_text.done": "text",
    "response.output_audio_transcript.done": "transcript",
}


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with the values of `over`; tables are merged, everything else is replaced."""
    made = dict(base)
    for key, value in over.items():
        have = made.get(key)
        both = isinstance(have, Mapping) and isinstance(value, Mapping)
        made[key] = merged(made[key], value) if both else value
    return made


class OpenAIWording:
    """Events of the GA protocol.

    `instructions` and `tools` (function tools as the API takes them) go into the session;
    `form` is the audio format both ways, `turn_detection` an object of the API or None for
    manual turns, `transcription` a model for the user's audio, `spoken` whether replies are
    audio. With a `greeting` the model speaks first, by these instructions if they are not empty.
    `session` are settings that go over those. RecorderError for an unknown format.
    """

    sends_binary = False
    keeps_microphone_open = False

    def __init__(
        self,
        instructions: str = "",
        tools: Sequence[Mapping[str, Any]] = (),
        form: str = "audio/pcm",
        turn_detection: Mapping[str, Any] | None = None,
        transcription: str | None = None,
        spoken: bool = True,
        greeting: str | None = None,
        session: Mapping[str, Any] | None = None,
    ) -> None:
        if form not in _CODECS:
            raise RecorderError(f"unknown audio format {form!r}; use one of {', '.join(_CODECS)}")
        self.codec, self.rate = _CODECS[form]
        self.manual_turns = turn_detection is None
        rate = {"rate": self.rate} if form == "audio/pcm" else {}
        transcribed = {"model": transcription} if transcription else None
        self._greeting = greeting
        usual: dict[str, Any] = {
            "type": "realtime",
            "instructions": instructions,
            "output_modalities": ["audio" if spoken else "text"],
            "tools": list(tools),
            "audio": {
                "input": {
                    "format": {"type": form, **rate},
                    "transcription": transcribed,
                    "turn_detection": turn_detection,
                },
                "output": {"format": {"type": form, **rate}},
            },
        }
        self.session = merged(usual, session or {})

    def configure(self) -> list[bytes]:
        settings = encoded({"type": "session.update", "session": self.session})
        if self._greeting is None:
            return [settings]
        told = {"response": {"instructions": self._greeting}} if self._greeting else {}
        return [settings, encoded({"type": "response.create", **told})]

    def say(self, text: str) -> list[bytes]:
        content = [{"type": "input_text", "text": text}]
        item = {"type": "message", "role": "user", "content": content}
        return [encoded({"type": "conversation.item.create", "item": item}), *self.reply()]

    def hear(self, audio: bytes) -> list[bytes]:
        text = base64.b64encode(audio).decode()
        return [encoded({"type": "input_audio_buffer.append", "audio": text})]

    def end_turn(self) -> list[bytes]:
        return [encoded({"type": "input_audio_buffer.commit"}), *self.reply()]

    def reply(self) -> list[bytes]:
        return [encoded({"type": "response.create"})]

    def result(self, call: str, output: str) -> list[bytes]:
        item = {"type": "function_call_output", "call_id": call, "output": output}
        return [encoded({"type": "conversation.item.create", "item": item})]

    def stop(self) -> list[bytes]:
        return [encoded({"type": "response.cancel"})]

    def heard_until(self, item: str, ms: int) -> list[bytes]:
        event = {"type": "conversation.item.truncate", "item_id": item}
        return [encoded({**event, "content_index": 0, "audio_end_ms": ms})]

    def listen(self, audio: bytes) -> list[Signal]:
        return [Refused("the provider sent a binary frame", False)]

    def read(self, body: bytes) -> list[Signal]:
        return understood(body, _signals)


def _signals(event: Mapping[str, Any]) -> list[Signal]:
    signal = _meaning(event)
    return [] if signal is None else [signal]


def _meaning(event: Mapping[str, Any]) -> Signal | None:
    type_ = event.get("type")
    if type_ == "session.created":
        return Ready()
    if type_ == "session.updated":
        return Configured()
    if type_ == "input_audio_buffer.speech_started":
        return SpeechStarted()
    if type_ == "error":
        error = event["error"]
        return Refused(f"the provider refused: {error['message']}", error.get("code") in _BENIGN)
    return _of_reply(str(type_), event)


def _of_reply(type_: str, event: Mapping[str, Any]) -> Signal | None:
    if type_ == "response.created":
        return ReplyBegan(event["response"]["id"])
    if type_ == "response.output_audio.delta":
        return Sound(event["item_id"], base64.b64decode(event["delta"]))
    if type_ in _TEXT_ENDS:
        return Said(event["item_id"], event[_TEXT_ENDS[type_]])
    if type_ == "response.function_call_arguments.done":
        name, arguments = event["name"], event["arguments"]
        return CallMade(event["response_id"], event["call_id"], name, arguments)
    if type_ == "response.done":
        response = event["response"]
        error = (response.get("status_details") or {}).get("error") or {}
        return ReplyEnded(response["id"], response["status"], error.get("message") or "")
    return None
