"""A recording that was fetched as a file, as samples."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recorder.audio.codec import decode
from recorder.audio.pcm import resample
from recorder.audio.sizes import frame_bytes
from recorder.audio.wav import RECORDING
from recorder.recording import Recording


class Fetched(NamedTuple):
    """Samples of shape (frames, channels)."""

    frames: NDArray[np.int16]
    rate: int

    @property
    def channels(self) -> int:
        return int(self.frames.shape[1])


def fetched_recording(tape: Recording, rate: int | None = None) -> Fetched | None:
    """The last recording that a tape has as a file, at its own rate or at `rate`; None if it has
    none. A frame that was cut off at the end is left out."""
    rows = [row for row in tape.segments() if row.stream == RECORDING]
    if not rows:
        return None
    last = rows[-1]
    width = frame_bytes(last.codec, last.channels)
    data = b"".join(tape.audio(row.number) for row in rows if row.channel == last.channel)
    found = decode(data[: len(data) // width * width], last.codec).reshape(-1, last.channels)
    if rate is None or rate == last.rate:
        return Fetched(found, last.rate)
    lanes = [resample(found[:, one], last.rate, rate) for one in range(last.channels)]
    return Fetched(np.stack(lanes, axis=1), rate)
