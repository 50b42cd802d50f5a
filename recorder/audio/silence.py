"""How long a microphone stayed open in silence is time, not content.

The *condensed* form of a stream leaves that out: silence at its beginning and its end, and what
goes beyond `RUN_MS` in each run of silence between. Two streams with the same sound have the same
condensed form, however they were cut into pieces.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from recorder.spans import SAMPLE_BYTES, AudioField, Codec

RUN_MS = 50
"""A run of digital silence at least this long counts as this long."""

ZEROS: dict[Codec, bytes] = {"pcm16": b"\0", "pcmu": b"\xff\x7f", "pcma": b"\xd5\x55"}
"""The bytes that digital silence is made of, first what a sample of zero is coded as: the codes
whose magnitude is nought, of either sign (ITU-T G.711, 11/88, tables 1 and 2). µ-law decodes both
to zero; A-law has no zero, and decodes them to its smallest step."""

SILENT: dict[Codec, bytes] = {codec: zeros[:1] for codec, zeros in ZEROS.items()}
"""What a sample of zero is coded as, each byte the same."""
_BLOCK = 1 << 14
_ONE_ZERO: dict[Codec, bytes] = {
    codec: bytes.maketrans(zeros[1:], zeros[:1]) for codec, zeros in ZEROS.items() if zeros[1:]
}


class Form(NamedTuple):
    """How audio is coded."""

    codec: Codec = "pcm16"
    rate: int = 24_000
    channels: int = 1

    @property
    def frame(self) -> int:
        """Bytes of one sample of every channel."""
        return SAMPLE_BYTES[self.codec] * self.channels

    @property
    def byte_rate(self) -> int:
        """Bytes of one second."""
        return self.frame * self.rate

    def __str__(self) -> str:
        return f"{self.codec} {self.rate / 1000:g} kHz"


def form_of(field: AudioField) -> Form:
    """How the audio of a field is coded."""
    return Form(field.codec, field.rate, field.channels)


class Condenser:
    """Condenses a stream, piece by piece. What it gives out never ends in silence, so that it
    depends on the stream alone and not on the pieces."""

    def __init__(self, form: Form) -> None:
        self.given = 0  # bytes that were given out
        self._silent = SILENT[form.codec]
        self._blank = self._silent * _BLOCK
        self._table = _ONE_ZERO.get(form.codec)
        self._frame = form.frame
        self._run = self._silent * (form.rate * RUN_MS // 1000 * form.frame)
        self._rest = b""  # a frame that is not complete yet
        self._taken = 0  # bytes of whole frames so far
        self._held = 0  # bytes of silence that are not given out yet
        self._places: list[tuple[int, int]] = []  # (given, taken) after silence was left out

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes; the condensed form of what is settled by them."""
        if self._table:
            data = data.translate(self._table)
        if self._rest:
            data = self._rest + data
        size = len(data)
        whole = size - size % self._frame
        if whole < size:
            self._rest, data = data[whole:], data[:whole]
        else:
            self._rest = b""
        lead = _leading(data, 0, self._blank)
        if lead == whole:
            self._held += whole
            self._taken += whole
            return b""
        lead -= lead % self._frame
        tail = whole - len(data.rstrip(self._silent))
        tail -= tail % self._frame
        silence = self._silence(self._held + lead, self._taken + lead)
        core = data[lead : whole - tail] if lead or tail else data
        self.given += len(silence)
        core = self._core(core, self._taken + lead)
        self._taken += whole
        self._held = tail
        self.given += len(core)
        return silence + core if silence else core

    def passed(self, data: bytes) -> None:
        """Count bytes as given out unchanged. They must be whole frames that begin where `is_even`
        and end in sound, and must have no longer run of silence than `RUN_MS`."""
        self._taken += len(data)
        self.given += len(data)

    @property
    def is_even(self) -> bool:
        """Whether all that was taken is given out or left out for good."""
        return not self._held and not self._rest and self._taken > 0

    def _silence(self, length: int, taken: int) -> bytes:
        """What of a run of silence that sound follows, at `taken`, is kept."""
        if not self.given:
            kept = 0
        elif length <= len(self._run):
            return self._run[:length]
        else:
            kept = len(self._run)
        self._places.append((self.given + kept, taken))
        return self._run[:kept]

    def _core(self, core: bytes, taken: int) -> bytes:
        """`core`, which begins and ends in sound, with its long runs of silence cut."""
        if len(core) <= len(self._run) or core.find(self._run) < 0:
            return core
        pieces: list[bytes] = []
        done = kept = 0
        for start, end in self._runs(core):
            piece = core[done : start + len(self._run)]
            pieces.append(piece)
            kept += len(piece)
            done = end
            self._places.append((self.given + kept, taken + end))
        pieces.append(core[done:])
        return b"".join(pieces)

    def _runs(self, core: bytes) -> Iterator[tuple[int, int]]:
        """Where whole frames of silence, at least a run of them, begin and end."""
        at = core.find(self._run)
        while at >= 0:
            end = at + len(self._run)
            end += _leading(core, end, self._blank)
            start, stop = at + -at % self._frame, end - end % self._frame
            if stop - start >= len(self._run):
                yield start, stop
            at = core.find(self._run, end)

    def place(self, given: int) -> int:
        """Where in the stream (bytes) the byte at `given` of the condensed form stood."""
        at = bisect_right(self._places, given, key=lambda place: place[0])
        base = self._places[at - 1] if at else (0, 0)
        return base[1] + given - base[0]


def condensed(audio: bytes, form: Form) -> bytes:
    """The condensed form of a whole stream."""
    return Condenser(form).feed(audio)


def _leading(audio: bytes, start: int, blank: bytes) -> int:
    """How many bytes from `start` on are silent, as those of `blank` are."""
    silent = blank[:1]
    at, end = start, len(audio)
    while at < end and audio[at] == silent[0]:
        piece = audio[at : at + _BLOCK]
        if piece == blank or piece == blank[: len(piece)]:  # much faster than stripping
            at += len(piece)
            continue
        return at - start + len(piece) - len(piece.lstrip(silent))
    return at - start
