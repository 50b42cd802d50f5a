"""How many bytes of audio last how long. Apart from what works on samples: that loads NumPy, which
a process that records or counts has no need of."""

from __future__ import annotations

from recorder.spans import SAMPLE_BYTES, Codec


def frame_bytes(codec: Codec, channels: int = 1) -> int:
    """Bytes of one frame: a sample of each channel."""
    return SAMPLE_BYTES[codec] * channels


def duration_ms(n_bytes: int, codec: Codec, rate: int, channels: int = 1) -> float:
    """How long `n_bytes` of `codec` play at `rate` frames a second; an incomplete frame counts
    in proportion. ValueError unless rate and channels are positive."""
    if rate <= 0 or channels <= 0:
        raise ValueError(f"no duration at {rate} Hz with {channels} channels")
    return n_bytes * 1000.0 / (frame_bytes(codec, channels) * rate)
