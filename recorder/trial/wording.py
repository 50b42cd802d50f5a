"""What a speaker needs of a provider: words for what it does, and what the provider's words mean.

A wording knows the provider's messages and no behaviour; a speaker knows the behaviour and no
message.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from recorder.spans import Codec


class Ready(NamedTuple):
    """The session exists."""


class Configured(NamedTuple):
    """The settings are in force."""


class SpeechStarted(NamedTuple):
    """The provider hears the user speak."""


class ReplyBegan(NamedTuple):
    """A reply is being generated."""

    reply: str


class Sound(NamedTuple):
    """A piece of spoken reply, in the wire's codec."""

    item: str
    audio: bytes


class Said(NamedTuple):
    """All the words of one item of a reply."""

    item: str
    text: str


class CallMade(NamedTuple):
    """The provider calls a function; `arguments` is JSON text."""

    reply: str
    call: str
    name: str
    arguments: str


class ReplyEnded(NamedTuple):
    """A reply is over: `completed`, `incomplete`, `cancelled` or `failed`, with the reason."""

    reply: str
    status: str
    problem: str = ""


class Refused(NamedTuple):
    """The provider refuses something; `benign` where a speaker may go on as if it had not."""

    message: str
    benign: bool


Signal = (
    Ready | Configured | SpeechStarted | ReplyBegan | Sound | Said | CallMade | ReplyEnded | Refused
)


class Wording(Protocol):
    """One provider's messages. Each method gives the bodies to send, in order: text, but for `hear`
    where audio is binary."""

    @property
    def codec(self) -> Codec:
        """The codec of audio both ways."""
        ...

    @property
    def rate(self) -> int:
        """Its samples a second."""
        ...

    @property
    def manual_turns(self) -> bool:
        """Whether the client says when a spoken turn is over."""
        ...

    @property
    def sends_binary(self) -> bool:
        """Whether audio goes out in binary messages."""
        ...

    @property
    def keeps_microphone_open(self) -> bool:
        """Whether audio must flow all the time, even if nothing is ever said."""
        ...

    def configure(self) -> list[bytes]:
        """The settings of the session; if there are none, none are confirmed."""
        ...

    def say(self, text: str) -> list[bytes]:
        """A typed message and the wish for a reply."""
        ...

    def hear(self, audio: bytes) -> list[bytes]:
        """A piece of the user's audio."""
        ...

    def end_turn(self) -> list[bytes]:
        """The spoken turn is over (manual turns only); the wish for a reply."""
        ...

    def reply(self) -> list[bytes]:
        """The wish for a reply."""
        ...

    def result(self, call: str, output: str) -> list[bytes]:
        """A function's output."""
        ...

    def stop(self) -> list[bytes]:
        """Stop generating."""
        ...

    def heard_until(self, item: str, ms: int) -> list[bytes]:
        """Of this spoken item only the first `ms` were heard."""
        ...

    def listen(self, audio: bytes) -> list[Signal]:
        """What a binary message means."""
        ...

    def read(self, body: bytes) -> list[Signal]:
        """What a text message means; nothing for those that a speaker need not know."""
        ...


def encoded(message: Mapping[str, Any]) -> bytes:
    """A message as it is sent."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def understood(body: bytes, meaning: Callable[[dict[str, Any]], list[Signal]]) -> list[Signal]:
    """What `meaning` makes of a text message; one that is malformed is told as such."""
    try:
        message = json.loads(body)
    except ValueError:
        message = None
    if not isinstance(message, dict):
        return [Refused("the provider sent a text frame that is not a JSON object", False)]
    try:
        return meaning(message)
    except (KeyError, TypeError, AttributeError, ValueError):
        return [Refused(f"the provider sent a malformed {message.get('type')} event", False)]
