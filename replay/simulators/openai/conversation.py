"""The items of one conversation, in order, with the audio that the wire leaves out."""

from __future__ import annotations

import base64
import copy
from dataclasses import dataclass, field

from replay.simulators.openai import errors
from replay.simulators.openai.errors import Json
from replay.simulators.openai.sound import PCM, bytes_per_ms


@dataclass
class Item:
    """An item: its wire form without audio, and the audio of its one audio part.

    `spoken` is what the audio says, whether or not the client asked for a transcript.
    """

    body: Json
    form: Json = field(default_factory=lambda: PCM)
    audio: bytearray = field(default_factory=bytearray)
    spoken: str = ""
    truncated: bool = False

    @property
    def id(self) -> str:
        return str(self.body["id"])

    @property
    def ms(self) -> int:
        """Whole milliseconds of audio."""
        return len(self.audio) // bytes_per_ms(self.form)

    def wire(self) -> Json:
        """A copy for an event, as it is now."""
        return copy.deepcopy(self.body)

    def wire_with_audio(self) -> Json:
        """As `conversation.item.retrieved` shows it: audio parts carry their audio."""
        body = self.wire()
        for part in body.get("content", ()):
            if part["type"].endswith("_audio"):
                part["audio"] = base64.b64encode(self.audio).decode()
        return body

    def text(self) -> str:
        """What the item says in words."""
        parts = self.body.get("content", ())
        written = [part["text"] for part in parts if "text" in part]
        return " ".join([*written, self.spoken] if self.spoken else written)

    def cut(self, end_ms: int) -> None:
        """Keep the first `end_ms` of audio; the transcript goes, as it may say what was cut."""
        if end_ms > self.ms:
            raise errors.already_shorter(self.ms, end_ms)
        del self.audio[end_ms * bytes_per_ms(self.form) :]
        self.truncated = True
        for part in self.body["content"]:
            part["transcript"] = None


class Conversation:
    """An ordered list of items with unique ids."""

    def __init__(self) -> None:
        self.items: list[Item] = []

    def find(self, item_id: str) -> Item | None:
        return next((item for item in self.items if item.id == item_id), None)

    def need(self, item_id: str, verb: str) -> Item:
        """The item, or the error that `verb` (`truncate`, `delete`, `retrieve`) gives."""
        item = self.find(item_id)
        if item is None:
            raise errors.no_such_item(verb, item_id)
        return item

    def insert(self, item: Item, after: str | None = None) -> str | None:
        """Put `item` after an id, in front for `root`, or at the end; return its predecessor."""
        if self.find(item.id) is not None:
            raise errors.item_exists(item.id)
        place = self._place(after)
        self.items.insert(place, item)
        return self.items[place - 1].id if place else None

    def _place(self, after: str | None) -> int:
        if after is None:
            return len(self.items)
        if after == "root":
            return 0
        for index, item in enumerate(self.items):
            if item.id == after:
                return index + 1
        raise errors.no_such_predecessor(after)

    def delete(self, item_id: str) -> None:
        self.items.remove(self.need(item_id, "delete"))

    def truncate(self, item_id: str, end_ms: int) -> None:
        """Cut an assistant's audio; its transcript is dropped with it."""
        item = self.need(item_id, "truncate")
        parts = item.body.get("content", ())
        heard = any(part["type"] == "output_audio" for part in parts)
        if item.body.get("role") != "assistant" or not (heard or item.audio):
            raise errors.not_truncatable()
        item.cut(end_ms)

    def has_call(self, call_id: str) -> bool:
        return any(
            item.body["type"] == "function_call" and item.body["call_id"] == call_id
            for item in self.items
        )

    def has_voice(self) -> bool:
        """Whether the assistant has spoken, which fixes the voice."""
        return any(item.body.get("role") == "assistant" and item.audio for item in self.items)

    def is_first(self, item_id: str | None) -> bool:
        return bool(self.items) and self.items[0].id == item_id
