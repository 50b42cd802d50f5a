"""The audio that a client of a tape streamed, from one cut to the next."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

from recorder.audio.silence import Condenser, Form
from replay.match.sound import Sound


@dataclass(frozen=True)
class Stretch:
    """`audio`, coded as `form` (None if there is none), up to the cut or close that is step
    `end_seq` (0 if the tape breaks off). `starts` and `seqs` tell for each of its messages where it
    begins and its step. `is_whole`: the client ended it; else what more it would have said is not
    known."""

    audio: bytes = b""
    form: Form | None = None
    starts: tuple[int, ...] = ()
    seqs: tuple[int, ...] = ()
    end_seq: int = 0
    is_whole: bool = True

    @cached_property
    def _condensed(self) -> tuple[bytes, Condenser]:
        condenser = Condenser(self.form or Form())
        return condenser.feed(self.audio), condenser

    @property
    def condensed(self) -> bytes:
        """The audio without what of its silence is timing; see `recorder.audio.silence`."""
        return self._condensed[0]

    def place(self, at: int) -> int:
        """Where in `audio` the byte at `at` of the condensed form stands."""
        return self._condensed[1].place(at)

    def seq(self, place: int) -> int:
        """The step that carried the byte at `place` of `audio`; beyond its end that of the cut."""
        if place >= len(self.audio):
            return self.end_seq or next(reversed(self.seqs), 0)
        return self.seqs[bisect_right(self.starts, place) - 1]


class Stretches:
    """Collects the stretches of one channel."""

    def __init__(self) -> None:
        self._done: list[Stretch] = []
        self._begin()

    def _begin(self) -> None:
        self._audio = bytearray()
        self._form: Form | None = None
        self._starts: list[int] = []
        self._seqs: list[int] = []

    def hear(self, seq: int, sound: Sound) -> None:
        """The client streamed audio in step `seq`."""
        self._starts.append(len(self._audio))
        self._seqs.append(seq)
        self._form = self._form or sound.form
        self._audio += sound.data

    def cut(self, seq: int, *, is_whole: bool = True) -> None:
        """Step `seq` ends a stretch."""
        starts, seqs = tuple(self._starts), tuple(self._seqs)
        audio = bytes(self._audio)
        self._done.append(Stretch(audio, self._form, starts, seqs, seq, is_whole))
        self._begin()

    def all(self) -> tuple[Stretch, ...]:
        """Those that were cut, in order."""
        return tuple(self._done)


def sketch(condensed: bytes, form: Form, more: str = "") -> str:
    """Audio in a few words, `<pcm16 24 kHz 4.26 s sha 9f3a…>`: how much sound it is, silence that
    is timing left out, and the beginning of its SHA-256."""
    length = len(condensed) / form.byte_rate
    return f"<{form} {length:.2f} s{more} sha {sha256(condensed).hexdigest()[:8]}…>"
