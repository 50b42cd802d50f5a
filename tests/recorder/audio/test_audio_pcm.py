import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recorder.audio import pcm


def tone(rate: int, hz: float, ms: int = 500, amplitude: float = 12000.0) -> np.ndarray:
    t = np.arange(rate * ms // 1000) / rate
    return np.rint(amplitude * np.sin(2 * np.pi * hz * t)).astype(np.int16)


@given(st.binary(max_size=64).filter(lambda data: len(data) % 2 == 0))
def test_bytes_survive_a_round_trip(data: bytes) -> None:
    assert pcm.to_bytes(pcm.samples(data)) == data


def test_samples_are_little_endian() -> None:
    assert pcm.samples(b"\x01\x00\x00\x80\xff\x7f").tolist() == [1, -32768, 32767]


def test_an_odd_byte_is_refused() -> None:
    with pytest.raises(ValueError, match="3 bytes"):
        pcm.samples(b"\0\0\0")


def test_levels_are_relative_to_full_scale() -> None:
    square = np.full(100, -32768, dtype=np.int16)
    assert pcm.rms_dbfs(square) == 0.0
    sine = tone(8000, 1000, amplitude=16384.0)
    assert pcm.rms_dbfs(sine) == pytest.approx(20 * math.log10(0.5 / math.sqrt(2)), abs=0.01)


@pytest.mark.parametrize("silence", [np.zeros(0, np.int16), np.zeros(10, np.int16)])
def test_silence_has_the_floor_level(silence: np.ndarray) -> None:
    assert pcm.rms_dbfs(silence) == -120.0


RATES = [(24000, 16000), (24000, 8000), (8000, 24000), (16000, 24000), (22050, 24000)]


@pytest.mark.parametrize(("rate_in", "rate_out"), RATES)
def test_a_tone_is_the_same_tone_at_another_rate(rate_in: int, rate_out: int) -> None:
    got = pcm.resample(tone(rate_in, 1000), rate_in, rate_out)
    wanted = tone(rate_out, 1000)
    assert got.size == wanted.size
    inner = slice(rate_out // 50, -rate_out // 50)
    error = got[inner].astype(int) - wanted[inner]
    assert np.abs(error).max() <= 2  # two steps of rounding: no delay, no gain, no alias


@pytest.mark.parametrize(("rate_in", "rate_out"), [(24000, 16000), (24000, 8000), (48000, 24000)])
def test_what_the_lower_rate_cannot_hold_is_removed(rate_in: int, rate_out: int) -> None:
    above = pcm.resample(tone(rate_in, rate_out / 2 * 1.02), rate_in, rate_out)
    assert pcm.rms_dbfs(above[400:-400]) < -90.0


@settings(max_examples=60, deadline=None)
@given(
    arrays(np.int16, st.integers(0, 400)),
    st.sampled_from([8000, 11025, 16000, 22050, 24000, 44100, 48000]),
    st.sampled_from([8000, 16000, 24000, 48000]),
)
def test_length_is_exact_and_the_input_untouched(
    samples: np.ndarray, rate_in: int, rate_out: int
) -> None:
    before = samples.copy()
    got = pcm.resample(samples, rate_in, rate_out)
    assert got.size == -(-samples.size * rate_out // rate_in)
    assert got.dtype == np.int16
    assert np.array_equal(samples, before)


def test_full_scale_is_clipped_not_wrapped() -> None:
    square = np.where(np.arange(2400) // 24 % 2, 32767, -32768).astype(np.int16)
    got = pcm.resample(square, 24000, 16000).astype(int)
    wanted = np.where(np.arange(1600) // 16 % 2, 1, -1)
    middle = np.arange(1600) % 16 == 8  # away from the edges, where ringing stands
    assert (np.sign(got[middle]) == wanted[middle]).all()


def test_a_constant_stays_constant() -> None:
    got = pcm.resample(np.full(4000, 12345, np.int16), 22050, 24000)
    assert set(got[200:-200].tolist()) == {12345}


def test_awkward_ratios_stay_small_and_close() -> None:
    got = pcm.resample(tone(24000, 300), 24000, 24001)
    assert got.size == 12001
    assert np.abs(got[200:4000].astype(int) - tone(24001, 300)[200:4000]).max() < 200


@pytest.mark.parametrize("rate", [0, -8000, 999, 400_001])
def test_rates_beyond_sound_are_refused(rate: int) -> None:
    with pytest.raises(ValueError, match="cannot resample"):
        pcm.resample(tone(8000, 100), rate, 24000)


@pytest.mark.parametrize(("rate", "other"), [(24_000, 16_000), (8000, 24_000), (24_001, 24_000)])
def test_silence_is_resampled_to_the_same_without_being_computed(
    monkeypatch: pytest.MonkeyPatch, rate: int, other: int
) -> None:
    """In one block nothing is left out."""
    quiet = np.zeros(rate, np.int16)
    lane = np.concatenate((quiet, tone(rate, 440), quiet, [1], quiet)).astype(np.int16)
    found = pcm.resample(lane, rate, other)
    monkeypatch.setattr(pcm, "_BLOCK", 1 << 40)
    assert np.array_equal(pcm.resample(lane, rate, other), found)
    assert not pcm.resample(quiet, rate, other).any()
