"""One response on its way: from beats to events, in the fixed order of the protocol.

Opening: `response.output_item.added`, `conversation.item.added`, `response.content_part.added`.
Closing is the mirror image, with `conversation.item.done` before `response.output_item.done`.
A response outside the conversation sends no `conversation.item.*`.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from replay.simulators.openai.conversation import Conversation, Item
from replay.simulators.openai.errors import Json
from replay.simulators.openai.ids import Mint
from replay.simulators.openai.mind import Call, Output
from replay.simulators.openai.score import Beat
from replay.simulators.openai.usage import VOICE_MS_PER_TOKEN, Tokens

_OBFUSCATED_LENGTH = 16


class Emit(Protocol):
    """Sends a server event of this type with these fields, in order."""

    def __call__(self, type_: str, /, **fields: Any) -> None: ...


@dataclass(frozen=True)
class Request:
    """What a response was asked to be: the session's settings with its own on top."""

    items: Sequence[Item]
    instructions: str
    modalities: list[str]
    form: Json
    voice: str | Json
    tools: Sequence[Json]
    choice: str | Json
    insistent: bool
    parallel: bool
    max_tokens: int | str
    metadata: Json | None
    in_conversation: bool

    @property
    def spoken(self) -> bool:
        return "audio" in self.modalities


@dataclass
class Part:
    """An output being made. `shown` is what `item.done` will name as predecessor."""

    item: Item
    kind: Literal["text", "audio", "call"]
    shown: str | None = None
    words: str = ""
    closed: bool = False


@dataclass
class Generation:
    """A response: `created`, then `play` for each beat, then `finish`."""

    id: str
    request: Request
    outputs: Sequence[Output]
    emit: Emit
    mint: Mint
    conversation: Conversation
    conversation_id: str
    null_predecessor: bool
    parts: dict[int, Part] = field(default_factory=dict)
    text_tokens: int = 0
    first_sound: int | None = None
    ended: bool = False

    @property
    def tokens(self) -> Tokens:
        """What has been generated so far."""
        return Tokens(self.text_tokens, -(-self.sound_ms // VOICE_MS_PER_TOKEN))

    @property
    def sound_ms(self) -> int:
        """Milliseconds of audio generated so far."""
        return sum(part.item.ms for part in self.parts.values())

    @property
    def call_ids(self) -> list[str]:
        return [part.item.body["call_id"] for part in self.parts.values() if part.kind == "call"]

    def is_full(self) -> bool:
        """Whether the response has reached its `max_output_tokens`."""
        limit = self.request.max_tokens
        return not isinstance(limit, str) and self.tokens.total >= limit

    def created(self) -> None:
        self.emit("response.created", response=self.body("in_progress"))

    def play(self, beat: Beat, now: int) -> None:
        """Send what one beat stands for."""
        if beat.act == "open":
            self._open(beat.output, now)
        elif beat.act == "close":
            self._close(beat.output, "completed")
        elif beat.act == "sound":
            self._sound(beat, now)
        else:
            self._words(beat)

    def finish(self, status: str, details: Json | None, usage: Json | None) -> None:
        """Close what is open and end the response; nothing names it afterwards."""
        for index, part in self.parts.items():
            if not part.closed:
                self._close(index, status if status == "completed" else "incomplete")
        self.ended = True
        self.emit("response.done", response=self.body(status, details, usage))

    def body(self, status: str, details: Json | None = None, usage: Json | None = None) -> Json:
        """The response object in the order of the wire."""
        request = self.request
        return {
            "object": "realtime.response",
            "id": self.id,
            "status": status,
            "status_details": details,
            "output": [part.item.wire() for _, part in sorted(self.parts.items())],
            "conversation_id": self.conversation_id if request.in_conversation else None,
            "output_modalities": request.modalities,
            "max_output_tokens": request.max_tokens,
            "audio": {"output": {"format": request.form, "voice": request.voice}},
            "usage": usage,
            "metadata": request.metadata,
        }

    def _open(self, index: int, now: int) -> None:
        output = self.outputs[index]
        item = Item(self._opening(output, now), self.request.form)
        kind: Literal["text", "audio", "call"] = (
            "call" if isinstance(output, Call) else "audio" if self.request.spoken else "text"
        )
        part = self.parts[index] = Part(item, kind)
        self.emit(
            "response.output_item.added",
            response_id=self.id,
            output_index=index,
            item=item.wire(),
        )
        if self.request.in_conversation:
            previous = self.conversation.insert(item)
            hidden = self.null_predecessor and self.conversation.is_first(previous)
            part.shown = None if hidden else previous
            self.emit("conversation.item.added", previous_item_id=previous, item=item.wire())
        if kind != "call":
            self._part_event("response.content_part.added", index, part=self._part(part))

    def _opening(self, output: Output, now: int) -> Json:
        head = {"id": self.mint.make("item_", now)}
        if isinstance(output, Call):
            return head | {
                "type": "function_call",
                "status": "in_progress",
                "name": output.name,
                "call_id": self.mint.call_id(),
                "arguments": "",
            }
        phase = {"phase": output.phase} if output.phase else {}
        message = {"type": "message", "status": "in_progress", "role": "assistant"}
        return head | message | phase | {"content": []}

    def _part(self, part: Part) -> Json:
        if part.kind == "text":
            return {"type": "text", "text": part.words}
        return {"type": "audio", "transcript": part.words}

    def _part_event(self, type_: str, index: int, **fields: object) -> None:
        self.emit(
            type_,
            response_id=self.id,
            item_id=self.parts[index].item.id,
            output_index=index,
            content_index=0,
            **fields,
        )

    def _call_event(self, type_: str, index: int, **fields: object) -> None:
        item = self.parts[index].item
        self.emit(
            type_,
            response_id=self.id,
            item_id=item.id,
            output_index=index,
            call_id=item.body["call_id"],
            **fields,
        )

    def _words(self, beat: Beat) -> None:
        part = self.parts[beat.output]
        part.words += beat.words
        self.text_tokens += 1
        fields = {
            "delta": beat.words,
            "obfuscation": self.mint.noise(_OBFUSCATED_LENGTH - len(beat.words)),
        }
        if part.kind == "call":
            self._call_event("response.function_call_arguments.delta", beat.output, **fields)
        elif part.kind == "text":
            self._part_event("response.output_text.delta", beat.output, **fields)
        else:
            part.item.spoken = part.words
            self._part_event("response.output_audio_transcript.delta", beat.output, **fields)

    def _sound(self, beat: Beat, now: int) -> None:
        part = self.parts[beat.output]
        if self.first_sound is None:
            self.first_sound = now
        if not part.item.truncated:
            part.item.audio += beat.sound
        delta = base64.b64encode(beat.sound).decode()
        self._part_event("response.output_audio.delta", beat.output, delta=delta)

    def _close(self, index: int, status: str) -> None:
        part = self.parts[index]
        part.closed = True
        _CLOSERS[part.kind](self, index, part)
        part.item.body["status"] = status
        if self.request.in_conversation:
            self.emit("conversation.item.done", previous_item_id=part.shown, item=part.item.wire())
        self.emit(
            "response.output_item.done",
            response_id=self.id,
            output_index=index,
            item=part.item.wire(),
        )

    def _close_text(self, index: int, part: Part) -> None:
        self._part_event("response.output_text.done", index, text=part.words)
        self._part_event("response.content_part.done", index, part=self._part(part))
        part.item.body["content"] = [{"type": "output_text", "text": part.words}]

    def _close_audio(self, index: int, part: Part) -> None:
        self._part_event("response.output_audio.done", index)
        self._part_event("response.output_audio_transcript.done", index, transcript=part.words)
        self._part_event("response.content_part.done", index, part=self._part(part))
        part.item.body["content"] = [{"type": "output_audio", "transcript": part.words}]

    def _close_call(self, index: int, part: Part) -> None:
        part.item.body["arguments"] = part.words
        self._call_event(
            "response.function_call_arguments.done",
            index,
            name=part.item.body["name"],
            arguments=part.words,
        )


_CLOSERS: dict[str, Callable[[Generation, int, Part], None]] = {
    "text": Generation._close_text,
    "audio": Generation._close_audio,
    "call": Generation._close_call,
}
