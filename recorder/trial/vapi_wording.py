"""The words of a Vapi call's socket (`vapi.websocket` transport), for a speaker.

Audio is binary both ways and never stops on the way up; text frames are JSON, not wrapped. Tools
are called on the team's server and never here, but their calls are announced: what is said between
a call and its result is filler, not the reply.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from recorder.errors import RecorderError
from recorder.spans import Codec
from recorder.trial.wording import (
    Ready,
    Refused,
    ReplyBegan,
    ReplyEnded,
    Said,
    Signal,
    Sound,
    SpeechStarted,
    understood,
)

_FORMATS: Mapping[str, tuple[Codec, int]] = {
    "pcm_s16le": ("pcm16", 16_000),
    "mulaw": ("pcmu", 8_000),
}


class VapiWording:
    """Frames of one call; it remembers which speech is under way, so each call needs its own.

    The call must send `status-update`, `speech-update` and `transcript` to its client. `form` and
    `rate` are the call's `audioFormat`. RecorderError for an unknown format.
    """

    manual_turns = False
    sends_binary = True
    keeps_microphone_open = True

    def __init__(self, form: str = "pcm_s16le", rate: int | None = None) -> None:
        if form not in _FORMATS:
            raise RecorderError(f"unknown audio format {form!r}; use one of {', '.join(_FORMATS)}")
        self.codec, usual = _FORMATS[form]
        self.rate = rate or usual
        self._speeches = 0
        self._is_open = self._is_filler = False
        self._was_cut = self._has_output = False
        self._unanswered: set[str] = set()
        self._announced: list[bool] = []
        self._readers: Mapping[str, Callable[[Mapping[str, Any]], list[Signal]]] = {
            "status-update": self._status,
            "speech-update": self._speech,
            "transcript": self._transcript,
            "user-interrupted": self._interrupted,
            "model-output": self._output,
            "voice-input": self._voice_input,
            "tool-calls": self._tool_calls,
            "conversation-update": self._conversation,
        }

    def configure(self) -> list[bytes]:
        """Nothing: the call was configured over REST."""
        return []

    def say(self, text: str) -> list[bytes]:
        """A typed message that is to be answered."""
        message = {"role": "user", "content": text}
        added = {"type": "add-message", "message": message, "triggerResponseEnabled": True}
        return [json.dumps(added, ensure_ascii=False).encode()]

    def hear(self, audio: bytes) -> list[bytes]:
        """Raw samples, in binary frames."""
        return [audio]

    def end_turn(self) -> list[bytes]:
        """Nothing: the service detects turns."""
        return []

    def reply(self) -> list[bytes]:
        """Nothing: the service answers by itself."""
        return []

    def result(self, call: str, output: str) -> list[bytes]:
        """Nothing: tools are answered by the team's server."""
        return []

    def stop(self) -> list[bytes]:
        """Nothing: only speech interrupts."""
        return []

    def heard_until(self, item: str, ms: int) -> list[bytes]:
        """Nothing: the service knows what it has sent, in real time."""
        return []

    def listen(self, audio: bytes) -> list[Signal]:
        """A binary frame is a piece of what the assistant says; filler is not of the reply."""
        return [] if self._is_filler else [Sound(self._name, audio)]

    def read(self, body: bytes) -> list[Signal]:
        """What a text frame means; unknown types mean nothing."""
        return understood(body, self._meaning)

    def _meaning(self, frame: Mapping[str, Any]) -> list[Signal]:
        reader = self._readers.get(str(frame.get("type")))
        return reader(frame) if reader else []

    @property
    def _name(self) -> str:
        return f"speech-{self._speeches}"

    def _status(self, frame: Mapping[str, Any]) -> list[Signal]:
        if frame["status"] == "in-progress":
            return [Ready()]
        if frame["status"] == "ended":
            return [Refused(f"the call has ended: {frame.get('endedReason', 'no reason')}", False)]
        return []

    def _speech(self, frame: Mapping[str, Any]) -> list[Signal]:
        if frame["role"] != "assistant":
            return []
        if frame["status"] == "started":
            self._speeches += 1
            self._is_filler = self._announced.pop(0) if self._announced else False
            self._is_open, self._was_cut = True, False
            return [ReplyBegan(self._name)]
        return self._over() if self._was_cut else []

    def _over(self) -> list[Signal]:
        """The speech has ended, if one is under way."""
        if not self._is_open:
            return []
        self._is_open = False
        over = "cancelled" if self._is_filler or self._was_cut else "completed"
        return [ReplyEnded(self._name, over)]

    def _transcript(self, frame: Mapping[str, Any]) -> list[Signal]:
        """The final words come after the end of the speech, and end the reply."""
        if (frame["role"], frame["transcriptType"]) != ("assistant", "final"):
            return []
        return [Said(self._name, frame["transcript"]), *self._over()]

    def _interrupted(self, frame: Mapping[str, Any]) -> list[Signal]:
        self._was_cut = True
        self._announced.clear()
        return [SpeechStarted()]

    def _voice_input(self, frame: Mapping[str, Any]) -> list[Signal]:
        """Something will be said: filler if a tool is awaited and it is not from the model."""
        self._announced.append(bool(self._unanswered) and not self._has_output)
        self._has_output = False
        return []

    def _output(self, frame: Mapping[str, Any]) -> list[Signal]:
        self._has_output = isinstance(frame["output"], str)
        return []

    def _tool_calls(self, frame: Mapping[str, Any]) -> list[Signal]:
        self._unanswered |= {str(one["id"]) for one in frame["toolCallList"]}
        return []

    def _conversation(self, frame: Mapping[str, Any]) -> list[Signal]:
        answered = {str(one.get("tool_call_id")) for one in frame["conversation"]}
        self._unanswered -= answered
        return []
