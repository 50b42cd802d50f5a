"""A tape's audio as samples: how loud it is, and what was said and heard on one clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recorder.audio.lanes import stereo
from recorder.audio.pcm import FLOOR_DBFS, rms_dbfs
from recorder.audio.sizes import duration_ms
from recorder.hearing import Sorter
from recorder.providers.base import Listener
from recorder.recording import Moment, Sound


@dataclass
class Loudness:
    """Duration and level of a run of audio, fed piece by piece."""

    ms: float = 0.0
    _power: float = 0.0
    _frames: int = 0

    def add(self, sound: Sound, frames: NDArray[np.int16]) -> None:
        """Count a sound and the frames it completed."""
        row = sound.segment
        self.ms += duration_ms(len(sound.data), row.codec, row.rate, row.channels)
        self._power += frames.size * 10 ** (rms_dbfs(frames) / 10)
        self._frames += frames.size

    def join(self, later: Loudness) -> None:
        """Count what another one counted."""
        self.ms += later.ms
        self._power += later._power
        self._frames += later._frames

    @property
    def dbfs(self) -> float:
        """Root mean square in dB below full scale; -120 for silence."""
        if not self._frames or not self._power:
            return FLOOR_DBFS
        return float(10 * np.log10(self._power / self._frames))


def two_sides(moments: Iterable[Moment], listener: Listener, rate: int) -> NDArray[np.int16]:
    """What the client took up (left) and what it played (right), frames of shape (n, 2): see
    `Lanes.sides`. Shape (0, 2) if there was no audio at all."""
    sorter = Sorter(listener)
    for moment in moments:
        sorter.take(moment)
    if sorter.lanes.is_silent:
        return np.zeros((0, 2), dtype=np.int16)
    return stereo(*sorter.lanes.sides(rate))
