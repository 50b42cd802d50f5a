"""The steps of a small script: what a client does in a conversation, one after the other."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Say:
    """Type a message and ask for a reply."""

    text: str


@dataclass(frozen=True)
class Speak:
    """Speak mono 16-bit little-endian PCM of any rate, in real time."""

    pcm: bytes
    rate: int = 24_000


@dataclass(frozen=True)
class AwaitReply:
    """Wait until a reply in words to the last input has come and has been played to its end.

    Function calls on the way are answered; a reply that the user interrupted does not count.
    """

    timeout_s: float = 30.0


@dataclass(frozen=True)
class Interrupt:
    """Once `after_ms` of the reply have been heard, speak over it, or stop it if `pcm` is empty."""

    after_ms: int
    pcm: bytes = b""
    rate: int = 24_000
    timeout_s: float = 30.0


@dataclass(frozen=True)
class Cue:
    """At a moment of the conversation, speak `pcm`, or just go on if it is empty.

    The moment is `delay_ms` after an anchor (docs/scenarios.md), or `timeout_ms` after what the
    client said last if the anchor does not come. `mode` is what the agent is to do: `respond`,
    `yield` or `ignore`. `number` is that of the turn, 0 where it is none.
    """

    after: str
    delay_ms: int = 0
    timeout_ms: int = 15_000
    pcm: bytes = b""
    rate: int = 24_000
    mode: str = "respond"
    number: int = 0


@dataclass(frozen=True)
class Close:
    """End the conversation; a script that does not say so ends all the same."""


Step = Say | Speak | AwaitReply | Interrupt | Cue | Close
