"""The user's audio: how much of it there is, and where speech begins and ends in it.

Times are milliseconds of audio since the start, never of the clock. What is muted is silence.
"""

from __future__ import annotations

import base64
import binascii

import numpy as np
from numpy.typing import NDArray

from recorder.audio import pcm
from recorder.audio.vad import Edge, EnergyVad
from replay.simulators.common.voice import VOICE_RATE
from replay.simulators.openai.errors import Json
from replay.simulators.openai.sound import bytes_per_ms, decode, rate
from replay.simulators.openai_live import errors

_LOUD_DBFS = -40.0
_LOUD = 327  # the same as a sample
_FRAME_MS = 20
_ONSET_MS = 60


class Ear:
    """Takes audio in the session's format; a turn is over after `silence_ms`."""

    def __init__(self, form: Json, silence_ms: int) -> None:
        self.form = form
        self.is_muted = self.is_deaf = False
        self.loud_ms = 0.0  # where the last sound was
        self._ms = 0.0
        self._vad = EnergyVad(
            rate(form),
            threshold_dbfs=_LOUD_DBFS,
            frame_ms=_FRAME_MS,
            start_ms=_ONSET_MS,
            stop_ms=silence_ms,
        )

    def samples(self, text: str) -> NDArray[np.int16]:
        """The samples of an append; ClientError for audio that is none."""
        return decode(unpacked(text, 2 if self.form["type"] == "audio/pcm" else 1), self.form)

    def length_ms(self, samples: NDArray[np.int16]) -> float:
        """How long they last."""
        return samples.size * 1000 / rate(self.form)

    def feed(self, samples: NDArray[np.int16]) -> list[Edge]:
        """Hear them; where speech begins or ends."""
        began, self._ms = self._ms, self._ms + self.length_ms(samples)
        if self.is_muted or self.is_deaf:
            samples = np.zeros_like(samples)
        loud = np.flatnonzero(np.abs(samples.astype(np.int32)) >= _LOUD)
        if loud.size:
            self.loud_ms = began + self.length_ms(samples[: loud[-1] + 1])
        return self._vad.feed(samples)

    def reflected(self, samples: NDArray[np.int16]) -> bytes:
        """As sidebands get them: PCM16 at 24 kHz, before muting (openai-python, `types/live`)."""
        return pcm.to_bytes(pcm.resample(samples, rate(self.form), VOICE_RATE))


def unpacked(text: str, sample_bytes: int) -> bytes:
    """The bytes of base64 audio; ClientError for what is none, or has half a sample."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise errors.invalid_audio("it is not base64") from None
    if len(data) % sample_bytes:
        raise errors.invalid_audio(f"{len(data)} bytes are not whole 16-bit samples")
    return data


def silence(form: Json, ms: int) -> bytes:
    """Zero samples; in G.711 these are 0xFF and 0xD5."""
    zero = {"audio/pcm": b"\0", "audio/pcmu": b"\xff", "audio/pcma": b"\xd5"}[form["type"]]
    return zero * (ms * bytes_per_ms(form))
