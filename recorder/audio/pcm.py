"""PCM16: bytes and samples, levels and resampling."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import isqrt

import numpy as np
from numpy.typing import NDArray

FLOOR_DBFS = -120.0
_FULL_SCALE = 32768.0

# The resampler's filter: 48 zero crossings a side and a Kaiser window of beta 8.96 make a stop
# band of about 90 dB that begins at the lower Nyquist rate, and a pass band up to 0.88 of it.
_CROSSINGS = 48
_BETA = 8.96
_CUTOFF = 0.94
_GRID = float(1 << 20)
_RATES = (1000, 400_000)
_TERMS = 1 << 18  # the largest product of the two terms of a ratio
_BLOCK = 1 << 17  # values worked on at a time


def samples(data: bytes) -> NDArray[np.int16]:
    """The samples of little-endian 16-bit PCM; ValueError for an odd number of bytes."""
    if len(data) % 2:
        raise ValueError(f"PCM16 takes two bytes a sample; {len(data)} bytes are not whole samples")
    return np.frombuffer(data, dtype="<i2").astype(np.int16)


def to_bytes(samples: NDArray[np.int16]) -> bytes:
    """Little-endian 16-bit PCM of `samples` (any shape, in C order)."""
    return samples.astype("<i2", copy=False).tobytes()


def rms_dbfs(samples: NDArray[np.int16]) -> float:
    """Root mean square in dB below 32768 (a full-scale sine is -3.01); -120 for silence."""
    if not samples.size:
        return FLOOR_DBFS
    amplitude = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
    if amplitude <= 0.0:
        return FLOOR_DBFS
    return max(FLOOR_DBFS, 20.0 * float(np.log10(amplitude / _FULL_SCALE)))


@lru_cache(maxsize=16)
def _bank(up: int, down: int) -> tuple[NDArray[np.float64], int]:
    """The polyphase filter for `up`/`down`: a matrix that turns a span of input, beginning
    `reach` samples before the first output's place, into `up` outputs. Each phase sums to 1."""
    widest = max(up, down)
    reach = -(-_CROSSINGS * widest // up)
    span = 2 * reach + 1 + (up - 1) * down // up
    place = reach + np.arange(up) * down / up
    distance = (np.arange(span)[:, None] - place[None, :]) * up / widest
    inside = np.clip(1.0 - np.square(distance / _CROSSINGS), 0.0, None)
    window = np.where(np.abs(distance) < _CROSSINGS, np.i0(_BETA * np.sqrt(inside)), 0.0)
    bank = np.sinc(_CUTOFF * distance) * window
    bank = np.rint(bank / bank.sum(axis=0) * _GRID)
    nearest = np.rint(place).astype(np.intp)
    bank[nearest, np.arange(up)] += _GRID - bank.sum(axis=0)
    return bank / _GRID, reach


def _ratio(rate_in: int, rate_out: int) -> tuple[int, int]:
    """The terms of `rate_out / rate_in`, or of the nearest ratio whose filter is of a sane size."""
    low, high = sorted((rate_in, rate_out))
    near = Fraction(high, low).limit_denominator(isqrt(_TERMS * low // high))
    terms = near.numerator, near.denominator
    return terms if rate_out > rate_in else terms[::-1]


def resample(samples: NDArray[np.int16], rate_in: int, rate_out: int) -> NDArray[np.int16]:
    """`samples` at another rate, without delay, `ceil(len * rate_out / rate_in)` long.

    A polyphase windowed-sinc filter for any ratio of whole rates, written with numpy alone: the
    rates of telephony and speech models are small ratios of each other, for which this is the
    textbook method and needs no further library. Its coefficients lie on a grid of 2^-20, so
    that every sum is exact in a double and the result does not depend on the order in which a
    machine's linear algebra adds. A ratio with large terms, such as 24001:24000, is taken as the
    nearest simple one. ValueError for a rate outside 1 kHz to 400 kHz.
    """
    if not (_RATES[0] <= min(rate_in, rate_out) and max(rate_in, rate_out) <= _RATES[1]):
        raise ValueError(f"cannot resample {rate_in} Hz to {rate_out} Hz: use 1000 to 400000 Hz")
    if rate_in == rate_out or not samples.size:
        return samples.copy()
    up, down = _ratio(rate_in, rate_out)
    bank, reach = _bank(up, down)
    span = bank.shape[0]
    length = -(-samples.size * rate_out // rate_in)
    rows = -(-length // up)
    padded = np.zeros(max((rows - 1) * down + span, reach + samples.size), dtype=np.int16)
    padded[reach : reach + samples.size] = samples
    spans = np.lib.stride_tricks.sliding_window_view(padded, span)[::down]
    out = np.zeros((rows, up), dtype=np.int16)
    step = max(1, _BLOCK // span)
    for at in range(0, rows, step):
        end = min(at + step, rows)
        if not np.count_nonzero(padded[at * down : (end - 1) * down + span]):
            continue  # silence is silence at any rate
        block = spans[at:end].astype(np.float64) @ bank
        out[at : at + step] = np.clip(np.rint(block), -32768, 32767)
    return out.reshape(-1)[:length]
