"""Seal a segment: one byte for digital silence, lossless FLAC for PCM, as it is for G.711 and where
FLAC would be larger."""

from __future__ import annotations

from hashlib import sha256

from recorder.audio.sizes import frame_bytes
from recorder.capture.encode import SealJob
from recorder.store.base import Sealed
from recorder.store.segments import one_of

_FLAC_RATES = 655_350  # the highest sample rate FLAC can name


def seal(job: SealJob) -> Sealed:
    """The end of a segment as a row; safe to run on any thread."""
    row, data = job
    byte = one_of(data)
    if len(byte) < len(data):
        frames = len(data) // frame_bytes(row.codec, row.channels)
        digest = sha256(data).digest()
        return Sealed(row.session, row.number, len(data), frames, digest, "constant", byte, b"")
    return lossless(job)


def lossless(job: SealJob) -> Sealed:
    """The same with all its bytes, as other programs read them."""
    row, data = job
    frame = frame_bytes(row.codec, row.channels)
    frames = len(data) // frame
    whole = frames * frame
    digest = sha256(data).digest()
    if row.codec == "pcm16" and frames and row.rate <= _FLAC_RATES and row.channels <= 8:
        from recorder.audio.files import encode_flac  # loads NumPy and libsndfile

        flac = encode_flac(data[:whole], row.rate, row.channels)
        if len(flac) < whole:
            tail = data[whole:]
            return Sealed(row.session, row.number, len(data), frames, digest, "flac", flac, tail)
    return Sealed(row.session, row.number, len(data), frames, digest, "raw", data, b"")
