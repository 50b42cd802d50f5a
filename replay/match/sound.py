"""How much audio a message carries, and how much of it is not digital silence.

Sound is what a provider reacts to, and the same audio has the same amount of it however it is
cut; how long a microphone stays open in silence is a matter of time.
"""

from __future__ import annotations

from binascii import Error
from collections.abc import Sequence
from typing import NamedTuple

from pybase64 import b64decode, b64encode

from recorder.audio.silence import ZEROS, Form, form_of
from recorder.spans import AudioField
from replay.match.jsontext import parse
from replay.match.rulebook import value_at


class Sound(NamedTuple):
    """`size` bytes of audio, `loud` of them not silence, the last `tail` of them all silence;
    `byte_rate` of them make a second. `data` are these bytes, coded as `form`."""

    size: int = 0
    loud: int = 0
    tail: int = 0
    byte_rate: int = 0
    data: bytes = b""
    form: Form | None = None


def measure(
    body: bytes, fields: Sequence[AudioField], form: Form | None = None, place: str | None = None
) -> Sound:
    """The audio of a message, whose fields all have one form: `form`, if given, because what a
    live client streams is coded as on the tape. Without fields the text at `place`, if it is
    base64, is a piece too short to be found by its looks, such as the rest of a file."""
    if not fields:
        data = _short(body, place) if place else b""
        return _sound([data], form or Form()) if data else Sound()
    pieces: list[bytes] = []
    for field in fields:
        data = body[field.start : field.end]
        if field.encoding == "base64":
            try:
                data = b64decode(data)
            except Error:
                continue  # not audio after all
        pieces.append(data)
    return _sound(pieces, form or form_of(fields[0]))


def short_piece(text: str) -> tuple[str, bytes]:
    """A piece of audio as bytes, or as the text that it is if it is not exact base64."""
    try:
        data = b64decode(text, validate=True)
    except ValueError:
        return text, b""
    return ("", data) if b64encode(data).decode() == text else (text, b"")


def _sound(pieces: list[bytes], form: Form) -> Sound:
    silence = ZEROS[form.codec]
    data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
    loud = len(data.translate(None, silence))
    tail = len(data) - len(data.rstrip(silence)) if loud else len(data)
    return Sound(len(data), loud, tail, form.byte_rate, data, form)


def _short(body: bytes, place: str) -> bytes:
    try:
        text = value_at(parse(body), place)
        return b64decode(text, validate=True) if type(text) is str else b""
    except ValueError:
        return b""  # not audio after all
