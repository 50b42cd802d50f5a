"""How long a microphone stayed open in silence is time, not content."""

from __future__ import annotations

import numpy as np

RUN_BYTES = 2400
"""Equal bytes in a row that count as digital silence: 50 ms of PCM16 at 24 kHz, 300 ms of G.711."""


def without_silence(audio: bytes) -> bytes:
    """`audio` with each run of at least `RUN_BYTES` equal bytes cut to `RUN_BYTES`, and such runs
    at its beginning and end left out."""
    if len(audio) < RUN_BYTES:
        return audio
    samples = np.frombuffer(audio, np.uint8)
    edges = np.flatnonzero(np.diff(samples)) + 1
    starts = np.concatenate(([0], edges))
    ends = np.concatenate((edges, [len(audio)]))
    pieces: list[bytes] = []
    done = 0
    for at in np.flatnonzero(ends - starts >= RUN_BYTES):
        start, end = int(starts[at]), int(ends[at])
        is_outer = start == 0 or end == len(audio)
        pieces.append(audio[done : start if is_outer else start + RUN_BYTES])
        done = end
    return b"".join((*pieces, audio[done:]))
