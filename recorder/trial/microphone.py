"""A microphone: speech when there is some, silence otherwise, in real time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recorder.audio import codec as coding
from recorder.audio import pcm
from recorder.spans import Codec

_LOUD = 327  # -40 dBFS
_NS = 1_000_000_000


class Microphone:
    """Audio in chunks of `chunk_ms`, each due when its last sample would have been recorded."""

    def __init__(self, codec: Codec, rate: int, chunk_ms: int) -> None:
        self._codec: Codec = codec
        self._rate = rate
        self._chunk = rate * chunk_ms // 1000
        self._speech: NDArray[np.int16] = np.empty(0, dtype=np.int16)
        self._loud = 0
        self._began: int | None = None
        self._chunks = 0

    def start(self, now: int) -> None:
        """Record from `now` (ns)."""
        self._began, self._chunks = now, 0

    def stop(self) -> None:
        """Record no more."""
        self._began = None

    def speak(self, data: bytes, rate: int) -> None:
        """Put mono PCM16 after what is still to be spoken."""
        added = pcm.resample(pcm.samples(data), rate, self._rate)
        loud = np.flatnonzero(np.abs(added.astype(np.int32)) > _LOUD)
        if loud.size:
            self._loud = self._speech.size + int(loud[-1]) + 1
        self._speech = np.concatenate((self._speech, added))

    @property
    def has_spoken(self) -> bool:
        """Whether all that can be heard has been sent; silence may be left."""
        return self._loud <= 0

    @property
    def is_empty(self) -> bool:
        """Whether all that was to be spoken has been sent."""
        return not self._speech.size

    def next_deadline(self) -> int | None:
        """When the next chunk is due (ns), or None if not recording."""
        if self._began is None:
            return None
        return self._began + (self._chunks + 1) * self._chunk * _NS // self._rate

    def due(self, now: int) -> list[bytes]:
        """The chunks recorded by `now`."""
        chunks = []
        while (when := self.next_deadline()) is not None and when <= now:
            chunks.append(self._next())
        return chunks

    def _next(self) -> bytes:
        self._chunks += 1
        taken, self._speech = self._speech[: self._chunk], self._speech[self._chunk :]
        self._loud = max(0, self._loud - self._chunk)
        silence = np.zeros(self._chunk - taken.size, dtype=np.int16)
        return coding.encode(np.concatenate((taken, silence)), self._codec)
