"""A response as a score: what is sent in which order, and how long after what went before.

Follows the skeleton of recorded responses: three pieces of transcript before the first audio,
then bursts of both, then a tail of audio alone; audio deltas of 250 ms, the first ones shorter;
a remark stays open until the call that it announces has been made.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from replay.simulators.common.words import pieces
from replay.simulators.openai.mind import Call, Output, Words

Act = Literal["open", "words", "sound", "arguments", "close"]

_MS = 1_000_000
_PIECE_MS = 12
_DELTA_MS = 250
_FIRST_DELTAS_MS = (100, 150)
_LEAD = 3
_TAIL = 3


class Beat(NamedTuple):
    """One act on an output, `after_ns` after the one before."""

    after_ns: int
    act: Act
    output: int
    words: str = ""
    sound: bytes = b""


class Sound(NamedTuple):
    """How replies sound: text to wire bytes, their size, and how fast they are generated."""

    speak: Callable[[str], bytes]
    bytes_per_ms: int
    pace: float


def compose(outputs: Sequence[Output], sound: Sound | None, chance: random.Random) -> list[Beat]:
    """The beats of a response; its words are spoken if `sound` is given."""
    beats: list[Beat] = []
    open_remark: int | None = None
    for index, output in enumerate(outputs):
        beats.append(Beat(0, "open", index))
        if isinstance(output, Call):
            beats += [_write("arguments", index, piece) for piece in pieces(output.arguments)]
            if open_remark is not None:
                beats.append(Beat(0, "close", open_remark))
                open_remark = None
        elif sound is None:
            beats += [_write("words", index, piece) for piece in pieces(output.text)]
        else:
            beats += _spoken(index, output.text, sound, chance)
        if isinstance(output, Words) and output.phase and index + 1 < len(outputs):
            open_remark = index
        else:
            beats.append(Beat(0, "close", index))
    return beats


def _write(act: Act, index: int, piece: str) -> Beat:
    return Beat(_PIECE_MS * _MS, act, index, piece)


def _spoken(index: int, text: str, sound: Sound, chance: random.Random) -> list[Beat]:
    words = [_write("words", index, piece) for piece in pieces(text)]
    audio = _deltas(index, sound.speak(text), sound)
    beats, words = words[:_LEAD], words[_LEAD:]
    while words and len(audio) > _TAIL:
        burst = min(chance.randint(1, 5), len(audio) - _TAIL)
        beats, audio = beats + audio[:burst], audio[burst:]
        burst = chance.randint(2, 8)
        beats, words = beats + words[:burst], words[burst:]
    return [*beats, *words, *audio]


def _deltas(index: int, audio: bytes, sound: Sound) -> list[Beat]:
    beats: list[Beat] = []
    place = 0
    while place < len(audio):
        ms = _FIRST_DELTAS_MS[len(beats)] if len(beats) < len(_FIRST_DELTAS_MS) else _DELTA_MS
        piece = audio[place : place + ms * sound.bytes_per_ms]
        place += len(piece)
        wait = int(len(piece) / sound.bytes_per_ms / sound.pace * _MS)
        beats.append(Beat(wait, "sound", index, sound=piece))
    return beats
