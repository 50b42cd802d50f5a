"""The wire bytes of a sealed segment, for every store alike."""

from __future__ import annotations

from recorder.store.base import Sealed


def wire_bytes(sealed: Sealed, channels: int) -> bytes:
    """The bytes as they crossed the wire: the stored form undone, then the tail."""
    if sealed.form == "raw":
        return sealed.data + sealed.tail
    from recorder.audio.files import decode_flac  # loads libsndfile, which few readers need

    return decode_flac(sealed.data, channels) + sealed.tail
