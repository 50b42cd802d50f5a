"""Seal a segment: lossless FLAC for PCM, as it is for G.711 and where FLAC would be larger."""

from __future__ import annotations

from hashlib import sha256

from recorder.audio.files import encode_flac
from recorder.capture.encode import SealJob
from recorder.store.base import Sealed

_FLAC_RATES = 655_350  # the highest sample rate FLAC can name


def seal(job: SealJob) -> Sealed:
    """The end of a segment as a row; safe to run on any thread."""
    row, data = job
    frame = 2 * row.channels if row.codec == "pcm16" else row.channels
    frames = len(data) // frame
    whole = frames * frame
    digest = sha256(data).digest()
    if row.codec == "pcm16" and frames and row.rate <= _FLAC_RATES and row.channels <= 8:
        flac = encode_flac(data[:whole], row.rate, row.channels)
        if len(flac) < whole:
            tail = data[whole:]
            return Sealed(row.session, row.number, len(data), frames, digest, "flac", flac, tail)
    return Sealed(row.session, row.number, len(data), frames, digest, "raw", data, b"")
