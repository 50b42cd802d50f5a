"""Audio as a value: compared by its content, shown by its length and digest."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from hashlib import sha256
from typing import NamedTuple

from recorder.audio.silence import Form, condensed
from recorder.recording import Sound
from replay.match.hearing import AudioMode, hearing
from replay.match.stretch import Stretch, sketch

_PCM16 = Form()  # of a piece that was too short to be stored as audio


class Parting(NamedTuple):
    """How two clips differ: in words where, and what is on either side."""

    where: str
    a: str
    b: str


class Clip:
    """Audio of one message, or of a stream. How long a client's microphone stayed open in silence
    does not count (`is_condensed`)."""

    def __init__(self, form: Form, data: bytes, *, is_condensed: bool) -> None:
        self.form, self.data, self.is_condensed = form, data, is_condensed

    @cached_property
    def content(self) -> bytes:
        """What counts of it."""
        return condensed(self.data, self.form) if self.is_condensed else self.data

    @cached_property
    def digest(self) -> str:
        """SHA-256 of what counts, hexadecimal."""
        return sha256(self.content).hexdigest()

    def __str__(self) -> str:
        return sketch(self.content, self.form)


def clip(sounds: Sequence[Sound], data: bytes, *, is_condensed: bool) -> Clip:
    """The clip of `data`, coded as the first of `sounds`."""
    if not sounds:
        return Clip(_PCM16, data, is_condensed=is_condensed)
    segment = sounds[0].segment
    form = Form(segment.codec, segment.rate, segment.channels)
    return Clip(form, data, is_condensed=is_condensed)


def parting(a: Clip, b: Clip, mode: AudioMode) -> Parting | None:
    """How `b` differs from `a` as `mode` compares audio; None if it does not."""
    if mode == "ignore" or (a.form == b.form and a.content == b.content):
        return None
    if a.form != b.form:
        return Parting("audio is coded otherwise", str(a), str(b))
    ear = hearing(mode, Stretch(a.data, a.form), a.form)
    heard = ear.take(b.data) or ear.end()
    if heard is not None:
        return Parting(heard.text, heard.expected, str(b) if mode == "exact" else heard.got)
    return None if mode != "exact" else Parting("silence is of another length", str(a), str(b))
