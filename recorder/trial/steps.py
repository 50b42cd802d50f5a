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
class Close:
    """End the conversation; a script that does not say so ends all the same."""


Step = Say | Speak | AwaitReply | Interrupt | Close
