"""How streamed audio is compared: one small matcher for each `--audio` mode.

Each takes the live audio of one stretch piece by piece and says where it is another than that of
the tape: at once, or when the stretch ends.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from recorder.audio.codec import decode
from recorder.audio.pcm import rms_dbfs
from recorder.audio.silence import Condenser, Form
from recorder.audio.vad import EnergyVad
from recorder.counting import counted
from replay.match.stretch import Stretch, sketch

AudioMode = Literal["exact", "energy", "duration", "ignore"]
AUDIO_MODES: tuple[AudioMode, ...] = ("exact", "energy", "duration", "ignore")

_TURN_MS = 200.0  # how much longer or shorter a piece of speech may be
_LEVEL_DB = 6.0
_LENGTH_S = 0.2
_LENGTH_SHARE = 0.1
_BLOCK_S = 10


class Heard(NamedTuple):
    """What is wrong: a text, the byte of the tape's stretch where it begins, and both sides."""

    text: str
    place: int
    expected: str
    got: str


class Hearing(Protocol):
    """Compares one stretch."""

    def take(self, data: bytes) -> Heard | None:
        """More live audio."""
        ...

    def end(self) -> Heard | None:
        """The live stretch is over."""
        ...


class Exact:
    """The same samples; runs of digital silence of 50 ms and more are equal, and silence at the
    beginning and the end does not count."""

    def __init__(self, stretch: Stretch, form: Form) -> None:
        self._stretch, self._form, self._want = stretch, form, stretch.condensed
        self._condenser = Condenser(form)
        self._silent = bytes(form.frame) if form.codec == "pcm16" else None
        self._at = 0

    def take(self, data: bytes) -> Heard | None:
        """At once: other samples, or sound after the end."""
        end = self._at + len(data)
        if self._condenser.is_even and self._want[self._at : end] == data and self._is_loud(data):
            self._condenser.passed(data)
            self._at = end
            return None
        piece = self._condenser.feed(data)
        end = self._at + len(piece)
        want = self._want[self._at : end]
        if want == piece or (not self._stretch.is_whole and piece.startswith(want)):
            self._at = min(end, len(self._want))
            return None
        return self._differs(want, piece)

    def _is_loud(self, data: bytes) -> bool:
        """Whether a piece that is part of the condensed tape is whole frames and ends in sound."""
        frame = self._form.frame
        return self._silent is not None and not len(data) % frame and data[-frame:] != self._silent

    def _differs(self, want: bytes, piece: bytes) -> Heard:
        size = min(len(want), len(piece))
        one, other = (np.frombuffer(side, np.uint8, size) for side in (want, piece))
        unequal = np.flatnonzero(one != other)
        at = int(unequal[0]) if unequal.size else size
        at -= at % self._form.frame
        got = sketch(self._want[: self._at] + piece, self._form, " so far")
        text = "audio differs at {at}"
        if self._at + at >= len(self._want):
            text = "audio goes on after {at}, where that of the tape ends"
        return self._heard(text, self._at + at, got)

    def end(self) -> Heard | None:
        """Sound that is missing at the end."""
        if self._at == len(self._want) or not self._stretch.is_whole:
            return None
        got = sketch(self._want[: self._at], self._form)
        return self._heard("audio is missing from {at} on", self._at, got)

    def _heard(self, text: str, at: int, got: str) -> Heard:
        place = self._stretch.place(at)
        return Heard(
            text.format(at=_when(place, self._form)), place, sketch(self._want, self._form), got
        )


class Duration:
    """As much sound: within a tenth, or 200 ms."""

    def __init__(self, stretch: Stretch, form: Form) -> None:
        self._stretch, self._form = stretch, form
        self._condenser = Condenser(form)

    def take(self, data: bytes) -> Heard | None:
        """Nothing is told before the end."""
        self._condenser.feed(data)
        return None

    def end(self) -> Heard | None:
        """Too much or too little."""
        rate = self._form.byte_rate
        want, got = len(self._stretch.condensed) / rate, self._condenser.given / rate
        within = max(_LENGTH_SHARE * want, _LENGTH_S)
        if abs(want - got) <= within or not self._stretch.is_whole:
            return None
        more = "longer" if got > want else "shorter"
        place = self._stretch.place(min(len(self._stretch.condensed), self._condenser.given))
        text = f"audio is {abs(want - got):.2f} s {more} than on the tape"
        return Heard(text, place, f"{want:.2f} s of sound (± {within:.2f} s)", f"{got:.2f} s")


class Spoken(NamedTuple):
    """A piece of speech: when it begins and ends, and its RMS level below 32768."""

    start_ms: float
    stop_ms: float
    dbfs: float

    def __str__(self) -> str:
        return f"{(self.stop_ms - self.start_ms) / 1000:.2f} s of speech at {self.dbfs:.1f} dBFS"


class Energy:
    """The same pieces of speech by energy, in order: each as long within 200 ms and as loud within
    6 dB. When one begins is not compared, because pauses depend on timing."""

    def __init__(self, stretch: Stretch, form: Form) -> None:
        self._stretch, self._form = stretch, form
        self._audio = bytearray()

    def take(self, data: bytes) -> Heard | None:
        """Nothing is told before the end."""
        self._audio += data
        return None

    def end(self) -> Heard | None:
        """The first piece of speech that differs, is missing, or is too many."""
        if not self._stretch.is_whole:
            return None
        want, got = (speech(each, self._form) for each in (self._stretch.audio, self._audio))
        for one, other in zip(want, got, strict=False):
            differs = abs(one.stop_ms - one.start_ms - other.stop_ms + other.start_ms) > _TURN_MS
            if differs or abs(one.dbfs - other.dbfs) > _LEVEL_DB:
                return self._heard("speech differs at {at}", one.start_ms, str(one), str(other))
        if len(want) == len(got):
            return None
        sides = [f"{counted(len(each), 'piece')} of speech" for each in (want, got)]
        if len(want) > len(got):
            return self._heard("speech is missing at {at}", want[len(got)].start_ms, *sides)
        last = want[-1].stop_ms if want else 0.0
        return self._heard("speech is too many after {at}", last, *sides)

    def _heard(self, text: str, at_ms: float, expected: str, got: str) -> Heard:
        place = int(at_ms * self._form.rate / 1000) * self._form.frame
        return Heard(text.format(at=_when(place, self._form)), place, expected, got)


class Ignore:
    """Audio is counted, not compared."""

    def take(self, data: bytes) -> Heard | None:
        """Anything will do."""
        return None

    def end(self) -> Heard | None:
        """So will an end at any time."""
        return None


def hearing(mode: AudioMode, stretch: Stretch, form: Form) -> Hearing:
    """The matcher of a mode."""
    if mode == "ignore":
        return Ignore()
    if mode == "duration":
        return Duration(stretch, form)
    return Energy(stretch, form) if mode == "energy" else Exact(stretch, form)


def speech(audio: bytes | bytearray, form: Form) -> list[Spoken]:
    """The pieces of speech in audio, by energy."""
    sound = _decoded(bytes(audio), form)
    vad = EnergyVad(form.rate)
    rest = np.zeros(form.rate, np.int16)  # a second of silence ends the last one
    block = form.rate * _BLOCK_S
    pieces = [sound[at : at + block] for at in range(0, sound.size, block)]
    edges = [edge for piece in (*pieces, rest) for edge in vad.feed(piece)]
    times = [edge.at_ms for edge in edges]
    return [
        Spoken(start, stop, rms_dbfs(sound[_sample(start, form) : _sample(stop, form)]))
        for start, stop in zip(times[::2], times[1::2], strict=True)
    ]


def _decoded(audio: bytes, form: Form) -> NDArray[np.int16]:
    whole = audio[: len(audio) - len(audio) % form.frame]
    return decode(whole, form.codec)[:: form.channels]


def _sample(at_ms: float, form: Form) -> int:
    return round(at_ms * form.rate / 1000)


def _when(place: int, form: Form) -> str:
    return f"{place / form.byte_rate:.3f} s (sample {place // form.frame})"
