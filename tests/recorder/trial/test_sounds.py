"""Sounds are what they say: level, length, frequency; and equal seeds give equal samples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.audio.pcm import rms_dbfs
from recorder.trial.scenario import NOISES
from recorder.trial.sounds import RATE, keys, noise, silence, trimmed


@pytest.mark.parametrize("kind", NOISES)
def test_noise_has_its_level_and_length_and_depends_on_its_seed(kind: str) -> None:
    made = noise(kind, 250, -25.0, 7)
    assert made.size == RATE // 4
    assert rms_dbfs(made) == pytest.approx(-25.0, abs=0.3)
    assert np.array_equal(made, noise(kind, 250, -25.0, 7))
    assert not np.array_equal(made, noise(kind, 250, -25.0, 8))


def test_keys_are_pairs_of_tones_with_pauses() -> None:
    made = keys("5#")
    assert made.size == RATE * 300 // 1000
    first = np.abs(np.fft.rfft(made[: RATE // 10].astype(float)))
    loudest = sorted(np.argsort(first)[-2:] * 10)
    assert loudest == [770, 1340]  # 1336 Hz, in steps of 10 Hz
    assert not made[RATE // 10 : RATE // 5].any()


@given(st.integers(1, 2000), st.integers(0, 2000))
def test_a_recording_ends_with_its_last_audible_frame(loud_ms: int, quiet_ms: int) -> None:
    loud = np.full(RATE * loud_ms // 1000, 3000, dtype=np.int16)
    found = trimmed(np.concatenate((loud, silence(quiet_ms))))
    assert 0 <= found.size - loud.size < RATE // 100 or quiet_ms == 0
    assert np.array_equal(found[: loud.size], loud[: found.size])


def test_nothing_is_left_of_silence() -> None:
    assert trimmed(silence(500)).size == 0
