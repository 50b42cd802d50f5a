"""An ear: what the agent's voice does on the listener's clock, by an energy VAD over what is
played, so that it means the same for every provider."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from recorder.audio import codec as coding
from recorder.audio.sizes import frame_bytes
from recorder.audio.vad import EnergyVad
from recorder.spans import Codec

STOP_MS = 500
"""The end of speech is known so long after it."""
_NS = 1_000_000_000


class Ear:
    """Listens from `begin` on. All times in ns."""

    def __init__(self, codec: Codec, rate: int, begin: int) -> None:
        self._codec: Codec = codec
        self._rate = rate
        self._begin = begin
        self._heard = 0  # samples that the detector has been fed
        self._queue: deque[NDArray[np.int16]] = deque()
        self._vad = EnergyVad(rate, stop_ms=STOP_MS)
        self.stretches: list[tuple[int, int | None]] = []

    def add(self, audio: bytes, now: int) -> None:
        """Audio that comes now is played as soon as what came before it has been."""
        self.listen(now)
        whole = len(audio) - len(audio) % frame_bytes(self._codec)
        self._queue.append(coding.decode(audio[:whole], self._codec))

    def cut(self, now: int) -> None:
        """Nothing of what waits is played."""
        self.listen(now)
        self._queue.clear()

    def listen(self, now: int) -> None:
        """Hear what is played up to `now`, with silence where there is nothing."""
        wanted = (now - self._begin) * self._rate // _NS - self._heard
        if wanted <= 0:
            return
        self._heard += wanted
        for edge in self._vad.feed(self._take(wanted)):
            at = self._begin + round(edge.at_ms * 1e6)
            if edge.kind == "start":
                self.stretches.append((at, None))
            else:
                self.stretches[-1] = (self.stretches[-1][0], at)

    @property
    def is_hearing(self) -> bool:
        """Whether the agent speaks, or has paused for less than `STOP_MS`."""
        return self._vad.speaking

    def _take(self, wanted: int) -> NDArray[np.int16]:
        pieces = []
        while self._queue and wanted:
            piece = self._queue.popleft()
            if piece.size > wanted:
                self._queue.appendleft(piece[wanted:])
                piece = piece[:wanted]
            pieces.append(piece)
            wanted -= piece.size
        return np.concatenate((*pieces, np.zeros(wanted, dtype=np.int16)))
