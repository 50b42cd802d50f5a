"""G.711 µ-law and A-law by table, both ways (ITU-T Recommendation G.711, 11/88).

A code is a sign bit, a 3-bit segment and a 4-bit step within it. µ-law codes a 14-bit and A-law
a 13-bit signed number; both stand left-aligned in the 16-bit samples here. Encoding follows the
standard's decision values, alike for both signs, so `encode(decode(code)) == code` for every
code, except that µ-law has two zeros: 0xFF and 0x7F both decode to 0, and 0 encodes to 0xFF.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_CODES = np.arange(256, dtype=np.int32)


def _segments(code: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    return code >> 4 & 7, code & 15


def _ulaw_values() -> NDArray[np.int16]:
    """All bits are inverted on the line; a magnitude is ((2·step + 33) · 2^segment) − 33."""
    code = _CODES ^ 0xFF
    segment, step = _segments(code)
    magnitude = (((2 * step + 33) << segment) - 33) << 2
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _alaw_values() -> NDArray[np.int16]:
    """Even bits are inverted on the line and a set sign bit is positive; segment 0 is linear."""
    code = _CODES ^ 0x55
    segment, step = _segments(code)
    magnitude = np.where(segment > 0, (2 * step + 33) << np.maximum(segment - 1, 0), 2 * step + 1)
    return np.where(code & 0x80, magnitude << 3, -magnitude << 3).astype(np.int16)


def _log2(values: NDArray[np.int32]) -> NDArray[np.int32]:
    """The place of the highest set bit of positive integers."""
    return (np.frexp(values.astype(np.float64))[1] - 1).astype(np.int32)


def _ulaw_codes() -> NDArray[np.uint8]:
    """For each 16-bit sample (indexed as unsigned) its code: the decision values of table 2."""
    sample = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)
    magnitude = np.minimum(np.abs(sample) >> 2, 8158) + 33
    segment = _log2(magnitude) - 5
    step = (magnitude >> (segment + 1)) & 15
    code: NDArray[np.int32] = np.where(sample < 0, 0x80, 0) | segment << 4 | step
    return (code ^ 0xFF).astype(np.uint8)


def _alaw_codes() -> NDArray[np.uint8]:
    """For each 16-bit sample (indexed as unsigned) its code: the decision values of table 1."""
    sample = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)
    magnitude = np.minimum(np.abs(sample) >> 4, 2047)
    segment = np.maximum(_log2(np.maximum(magnitude, 1)) - 3, 0)
    step = (magnitude >> np.maximum(segment - 1, 0)) & 15
    code: NDArray[np.int32] = np.where(sample < 0, 0, 0x80) | segment << 4 | step
    return (code ^ 0x55).astype(np.uint8)


_ULAW_VALUES, _ULAW_CODES = _ulaw_values(), _ulaw_codes()
_ALAW_VALUES, _ALAW_CODES = _alaw_values(), _alaw_codes()


def _expand(table: NDArray[np.int16], data: bytes) -> NDArray[np.int16]:
    return table[np.frombuffer(data, dtype=np.uint8)]


def _compress(table: NDArray[np.uint8], samples: NDArray[np.int16]) -> bytes:
    return table[samples.astype(np.int16, copy=False).view(np.uint16)].tobytes()


def decode_ulaw(data: bytes) -> NDArray[np.int16]:
    """The samples of µ-law codes, one a byte."""
    return _expand(_ULAW_VALUES, data)


def encode_ulaw(samples: NDArray[np.int16]) -> bytes:
    """The µ-law codes of samples; what lies beyond ±32635 is clipped."""
    return _compress(_ULAW_CODES, samples)


def decode_alaw(data: bytes) -> NDArray[np.int16]:
    """The samples of A-law codes, one a byte."""
    return _expand(_ALAW_VALUES, data)


def encode_alaw(samples: NDArray[np.int16]) -> bytes:
    """The A-law codes of samples."""
    return _compress(_ALAW_CODES, samples)
