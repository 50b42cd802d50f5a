"""How long a microphone stayed open in silence is time, not content."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

RUN_BYTES = 2400
"""Equal bytes in a row that count as digital silence: 50 ms of PCM16 at 24 kHz, 300 ms of G.711."""
_BLOCK = RUN_BYTES // 2  # a run of RUN_BYTES holds at least one whole block of this grid


def without_silence(audio: bytes) -> bytes:
    """`audio` with each run of at least `RUN_BYTES` equal bytes cut to `RUN_BYTES`, and such runs
    at its beginning and end left out."""
    pieces: list[bytes] = []
    done = 0
    for start, end in _runs(audio):
        is_outer = start == 0 or end == len(audio)
        pieces.append(audio[done : start if is_outer else start + RUN_BYTES])
        done = end
    return b"".join((*pieces, audio[done:]))


def _runs(audio: bytes) -> Iterator[tuple[int, int]]:
    """Where runs of at least `RUN_BYTES` equal bytes begin and end."""
    count = len(audio) // _BLOCK
    blocks = np.frombuffer(audio, np.uint8, count * _BLOCK).reshape(count, _BLOCK)
    end = 0
    for block in np.flatnonzero((blocks == blocks[:, :1]).all(axis=1)):
        start = int(block) * _BLOCK
        if start < end:
            continue
        same = audio[start : start + 1]
        before = audio[max(end, start - _BLOCK) : start]
        start -= len(before) - len(before.rstrip(same))
        end = start + _leading(audio, start, same)
        if end - start >= RUN_BYTES:
            yield start, end


def _leading(audio: bytes, start: int, same: bytes) -> int:
    """How many bytes from `start` on equal `same`."""
    length = 0
    while True:
        piece = audio[start + length : start + length + (1 << 16)]
        kept = len(piece.lstrip(same))
        length += len(piece) - kept
        if kept or not piece:
            return length
