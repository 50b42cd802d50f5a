"""The bytes of a segment as they are stored, for every store alike."""

from __future__ import annotations

from typing import Final

from recorder.errors import StoreError
from recorder.store.base import Sealed

_LONGEST: Final = 64 << 20  # far more bytes than a segment is given: what is more is damage


def one_of(data: bytes) -> bytes:
    """The byte that `data` repeats, as silence does; else all of it."""
    return data[:1] if data.count(data[:1]) == len(data) else data


def repeated(data: bytes, size: int) -> bytes:
    """What `one_of` was given, `size` bytes."""
    return data * size if len(data) == 1 else data


def wire_bytes(sealed: Sealed, channels: int) -> bytes:
    """The bytes of a sealed segment as they crossed the wire: the stored form undone, then the
    tail."""
    if sealed.form == "raw":
        return sealed.data + sealed.tail
    if sealed.form == "constant":
        if not 0 < sealed.size <= _LONGEST:
            raise StoreError(f"silence of {sealed.size} bytes cannot be a segment")
        return repeated(sealed.data, sealed.size)
    from recorder.audio.files import decode_flac  # loads libsndfile, which few readers need

    return decode_flac(sealed.data, channels) + sealed.tail
