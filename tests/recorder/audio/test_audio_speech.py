"""Speech in a lane that is mostly silence."""

from __future__ import annotations

import numpy as np

from recorder.audio.speech import Interval, Vad, first_voiced_ms, speech


def test_frames_of_silence_are_as_silent_as_those_with_an_offset() -> None:
    rate = 16_000
    sound = np.tile(np.array([3000, -3000], np.int16), rate // 4)
    for offset in (0, 500):
        quiet = np.full(rate // 2, offset, np.int16)
        lane = np.concatenate((quiet, sound, quiet))
        assert speech(lane, rate, Vad()) == [Interval(500.0, 1000.0)]


def test_the_first_voiced_sample_is_found_after_silence() -> None:
    lane = np.zeros(1000, np.int16)
    assert first_voiced_ms(lane, 1000, -60.0) is None
    lane[400] = -32_768
    assert first_voiced_ms(lane, 1000, -60.0) == 400.0
