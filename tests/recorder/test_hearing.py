"""Silence is seen without being decoded, and comes to the same as if it were."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.audio.codec import decode
from recorder.audio.levels import levels
from recorder.hearing import Ear, Frames
from recorder.providers.neutral import LEVEL_MS
from recorder.recording import Moment, Sound
from recorder.spans import Codec
from recorder.store.base import EventRow, SegmentRow

RATE = 8000
_PIECE = st.sampled_from([b"", b"\0", b"\0\0", bytes(320), bytes(70_000), b"\1", b"\0\1" * 60])
PIECES = st.lists(_PIECE, max_size=8)


def sounds(pieces: list[bytes], codec: Codec) -> list[Sound]:
    segment = SegmentRow("tape", 1, 1, "client", "", codec, RATE, 1, 0)
    return [Sound(segment, 0, piece) for piece in pieces]


@pytest.mark.parametrize("codec", ["pcm16", "pcmu"])
@given(pieces=PIECES)
def test_frames_are_those_of_the_whole(codec: Codec, pieces: list[bytes]) -> None:
    frames = Frames()
    made = [frames.decode(sound) for sound in sounds(pieces, codec)]
    whole = b"".join(pieces)
    whole = whole[: len(whole) // 2 * 2] if codec == "pcm16" else whole
    found = np.concatenate([np.zeros(0, np.int16), *made])
    assert np.array_equal(found, decode(whole, codec))


@pytest.mark.parametrize("codec", ["pcm16", "pcmu"])
@given(pieces=PIECES)
def test_levels_are_those_of_the_frames(codec: Codec, pieces: list[bytes]) -> None:
    frames, ear = Frames(), Ear()
    row = EventRow("tape", 1, 0, 1, "client", "ws.text", "", "", None, b"")
    for sound in sounds(pieces, codec):
        expected = levels(frames.decode(sound), RATE, LEVEL_MS)
        assert ear.levels(Moment(row, (), (sound,))) == expected


def test_shared_silence_cannot_be_written_to() -> None:
    [sound] = sounds([bytes(320)], "pcm16")
    with pytest.raises(ValueError, match="read-only"):
        Frames().decode(sound)[0] = 1
