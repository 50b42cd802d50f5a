"""Lift audio out of a body and put it back byte for byte.

A body without its audio stays valid JSON (the string is empty), and what was lifted is kept as
decoded bytes. Where decoding and encoding again would not give the same text (other alphabets,
missing padding, stray characters), the body stays whole.
"""

from __future__ import annotations

from binascii import Error
from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeGuard

from pybase64 import b64decode, b64encode

Codec = Literal["pcm16", "pcmu", "pcma"]
Encoding = Literal["base64", "raw"]

SAMPLE_BYTES: dict[Codec, int] = {"pcm16": 2, "pcmu": 1, "pcma": 1}
"""Bytes of one sample of one channel."""

_PADDING = ord("=")

LOWEST_RATE, HIGHEST_RATE = 1_000, 384_000


def is_rate(value: object) -> TypeGuard[int]:
    """Whether what a peer named can be a sample rate (Hz)."""
    return type(value) is int and LOWEST_RATE <= value <= HIGHEST_RATE


class AudioField(NamedTuple):
    """Where in a body audio stands: `body[start:end]` is its text (or the bytes themselves).

    `stream` names what it belongs to within its channel and direction (an item id, or ``""``).
    """

    start: int
    end: int
    encoding: Encoding
    stream: str
    codec: Codec
    rate: int
    channels: int = 1


class Span(NamedTuple):
    """Audio that stood at byte `at` of the lifted body, decoded."""

    at: int
    encoding: Encoding
    data: bytes


def decoded(text: bytes | memoryview) -> bytes | None:
    """The bytes that encode to exactly `text`, or None. Strict decoding leaves one thing that
    encoding again would not give back: stray bits in the last group of four, if it is padded."""
    try:
        data = b64decode(text, validate=True)
    except Error:
        return None
    if not data or text[-1] != _PADDING:
        return data
    return data if b64encode(data[(len(data) - 1) // 3 * 3 :]) == text[-4:] else None


def lift(
    body: bytes, fields: Sequence[AudioField]
) -> tuple[bytes, Sequence[tuple[AudioField, Span]]]:
    """The body without the audio of `fields` (by offset, not overlapping), and that audio."""
    pieces: list[bytes | memoryview] = []
    lifted: list[tuple[AudioField, Span]] = []
    view = memoryview(body)
    done = removed = 0
    for field in fields:
        start, end, encoding = field[:3]
        data = body[start:end] if encoding == "raw" else decoded(view[start:end])
        if not data:
            continue
        pieces.append(view[done:start])
        lifted.append((field, Span(start - removed, encoding, data)))
        removed += end - start
        done = end
    if not lifted:
        return body, ()
    pieces.append(view[done:])
    return b"".join(pieces), lifted


def restore(lifted: bytes, spans: Sequence[Span]) -> bytes:
    """The body as it was before `lift`; `spans` in the order of their offsets."""
    if not spans:
        return lifted
    pieces: list[bytes] = []
    done = 0
    for at, encoding, data in spans:
        pieces += lifted[done:at], data if encoding == "raw" else b64encode(data)
        done = at
    pieces.append(lifted[done:])
    return b"".join(pieces)
