"""Audio formats of the protocol: sizes, and samples to wire bytes and back.

A format is the wire's own object: `{"type": "audio/pcm", "rate": 24000}` (16-bit little-endian),
`{"type": "audio/pcmu"}` or `{"type": "audio/pcma"}` (G.711 at 8 kHz).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recorder.audio import g711, pcm
from replay.simulators.common.voice import VOICE_RATE
from replay.simulators.openai.errors import Json

PCM: Json = {"type": "audio/pcm", "rate": VOICE_RATE}


def rate(form: Json) -> int:
    """Samples a second."""
    return int(form["rate"]) if form["type"] == "audio/pcm" else 8_000


def bytes_per_ms(form: Json) -> int:
    """48 for PCM at 24 kHz, 8 for G.711."""
    return rate(form) // 1000 * (2 if form["type"] == "audio/pcm" else 1)


def decode(data: bytes, form: Json) -> NDArray[np.int16]:
    """Samples of whole wire frames."""
    if form["type"] == "audio/pcm":
        return pcm.samples(data)
    return g711.decode_ulaw(data) if form["type"] == "audio/pcmu" else g711.decode_alaw(data)


def encode(samples: NDArray[np.int16], form: Json) -> bytes:
    """Wire bytes of samples at 24 kHz, resampled where the format needs it."""
    at_rate = pcm.resample(samples, VOICE_RATE, rate(form))
    if form["type"] == "audio/pcm":
        return pcm.to_bytes(at_rate)
    return g711.encode_ulaw(at_rate) if form["type"] == "audio/pcmu" else g711.encode_alaw(at_rate)
