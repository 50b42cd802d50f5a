"""How much audio a message carries, and how much of it is not digital silence.

Sound is what a provider reacts to, and the same audio has the same amount of it however it is
cut; how long a microphone stays open in silence is a matter of time.
"""

from __future__ import annotations

from binascii import Error
from collections.abc import Sequence
from typing import NamedTuple

from pybase64 import b64decode

from recorder.spans import AudioField

_SAMPLE_BYTES = {"pcm16": 2, "pcmu": 1, "pcma": 1}
_SILENCE = {"pcm16": b"\0", "pcmu": b"\xff\x7f", "pcma": b"\xd5\x55"}  # both zeros of ITU-T G.711


class Sound(NamedTuple):
    """`size` bytes of audio, `loud` of them not silence, the last `tail` of them all silence;
    `byte_rate` of them make a second."""

    size: int = 0
    loud: int = 0
    tail: int = 0
    byte_rate: int = 0


def measure(body: bytes, fields: Sequence[AudioField]) -> Sound:
    """The audio of a message, whose fields all have one format."""
    size = loud = tail = 0
    for field in fields:
        data = body[field.start : field.end]
        if field.encoding == "base64":
            try:
                data = b64decode(data)
            except Error:
                continue  # not audio after all
        silence = _SILENCE[field.codec]
        size += len(data)
        loud += len(data.translate(None, silence))
        tail = len(data) - len(data.rstrip(silence))
    rate = 0
    if fields:
        first = fields[0]
        rate = first.rate * first.channels * _SAMPLE_BYTES[first.codec]
    return Sound(size, loud, tail, rate)
