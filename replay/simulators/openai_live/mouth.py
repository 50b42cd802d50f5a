"""The voice: one frame of 100 ms after the other without a pause, silence as zero samples.

The words of what is said come in steps of 200 ms, each just before its sound (recorded sessions).
"""

from __future__ import annotations

import base64
from collections import deque
from dataclasses import dataclass

from replay.simulators.common.voice import synthesise
from replay.simulators.openai.errors import Json
from replay.simulators.openai.sound import PCM, bytes_per_ms, encode
from replay.simulators.openai_live.ear import silence
from replay.simulators.openai_live.scribe import Piece
from replay.simulators.openai_live.stage import STEP_MS

FRAME_MS = 100


@dataclass
class _Speech:
    """Something to say: `wire` in the session's format, `wide` as PCM16 at 24 kHz for sidebands,
    and the words with their places in ms."""

    wire: bytes
    wide: bytes
    words: list[tuple[float, str]]
    at_ms: int = 0
    is_fixture: bool = False


@dataclass(frozen=True)
class Frame:
    """What goes out at one time; `is_over`: with it something said has ended, `was_fixture` a
    fixture."""

    wire: bytes
    wide: bytes
    pieces: list[Piece]
    is_silent: bool
    was_fixture: bool = False


class Mouth:
    """Speaks what it is given, in order."""

    def __init__(self, form: Json) -> None:
        self._form = form
        self._queue: deque[_Speech] = deque()
        self._is_wide = form == PCM
        self._silence = Frame(silence(form, FRAME_MS), silence(PCM, FRAME_MS), [], True)
        self._told_ms = -1  # the step of the last piece

    @property
    def is_speaking(self) -> bool:
        """Whether something is left to say."""
        return bool(self._queue)

    @property
    def is_playing(self) -> bool:
        """Whether a fixture is left to play."""
        return any(speech.is_fixture for speech in self._queue)

    def say(self, text: str) -> None:
        """Say something after what is being said."""
        samples = synthesise(text)
        ms = samples.size / PCM["rate"] * 1000
        words, place = [], 0
        for number, word in enumerate(text.split()):
            words.append((ms * place / max(1, len(text)), f" {word}" if number else word))
            place += len(word) + 1
        wide = encode(samples, PCM)
        wire = wide if self._is_wide else encode(samples, self._form)
        self._queue.append(_Speech(wire, wide, words))

    def play(self, wide: bytes, wire: bytes) -> None:
        """Play a fixture in place of all else."""
        self._queue.clear()
        self._queue.append(_Speech(wire, wide, [], is_fixture=True))

    def cut(self) -> None:
        """Fall silent; a fixture plays on."""
        self._queue = deque(speech for speech in self._queue if speech.is_fixture)

    def frame(self, at_ms: int, *, may_speak: bool) -> Frame:
        """The frame at a place of the session's time."""
        if not self._queue or not may_speak:
            return self._silence
        speech = self._queue[0]
        pieces = self._pieces(speech, at_ms)
        wire = _cut(speech.wire, speech.at_ms, self._form)
        wide = wire if self._is_wide else _cut(speech.wide, speech.at_ms, PCM)
        speech.at_ms += FRAME_MS
        is_over = speech.at_ms * bytes_per_ms(PCM) >= len(speech.wide)
        if is_over:
            self._queue.popleft()
        return Frame(wire, wide, pieces, False, is_over and speech.is_fixture)

    def _pieces(self, speech: _Speech, at_ms: int) -> list[Piece]:
        """The words that are said within a step of here."""
        made: list[Piece] = []
        while speech.words and speech.words[0][0] < speech.at_ms + STEP_MS:
            place, word = speech.words.pop(0)
            start = int(at_ms + place - speech.at_ms) // STEP_MS * STEP_MS
            start = max(start, self._told_ms)
            if made and made[-1].start_ms == start:
                made[-1] = Piece(start, made[-1].text + word)
            else:
                made.append(Piece(start, word))
            self._told_ms = start
        return made


def _cut(audio: bytes, at_ms: int, form: Json) -> bytes:
    """100 ms from here, with silence where the audio ends."""
    per_ms = bytes_per_ms(form)
    piece = audio[at_ms * per_ms : (at_ms + FRAME_MS) * per_ms]
    missing = FRAME_MS * per_ms - len(piece)
    return piece + silence(form, FRAME_MS)[:missing] if missing else piece


def packed(audio: bytes) -> str:
    """Audio as text."""
    return base64.b64encode(audio).decode()
