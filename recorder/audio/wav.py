"""Where the samples of a WAV file stand, from its first bytes (RIFF/WAVE, RFC 2361)."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import NamedTuple

from recorder.spans import Codec

RECORDING = "recording"
"""The stream of audio that comes from a file with a whole recording of a conversation."""

_FORMATS: Mapping[tuple[int, int], Codec] = {
    (0x0001, 16): "pcm16",
    (0x0007, 8): "pcmu",
    (0x0006, 8): "pcma",
}
_EXTENSIBLE = 0xFFFE  # the format proper is the first field of a GUID, 24 bytes into the chunk
_UNKNOWN = frozenset({0, 0xFFFFFFFF})  # sizes that a writer leaves which cannot go back
_CHUNK = struct.Struct("<4sI")
_FMT = struct.Struct("<HHIIHH")


class WavData(NamedTuple):
    """`file[start:start + size]` are interleaved samples; `size` is None for all that follows."""

    start: int
    size: int | None
    codec: Codec
    rate: int
    channels: int


def wav_data(head: bytes) -> WavData | None:
    """The samples of a file that begins with `head`; None where that is no WAV, is of a format
    other than PCM16 or G.711, or ends before the samples begin."""
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        return None
    at, form = 12, b""
    while at + _CHUNK.size <= len(head):
        name, size = _CHUNK.unpack_from(head, at)
        at += _CHUNK.size
        if name == b"data":
            return _described(form, at, None if size in _UNKNOWN else size)
        if name == b"fmt ":
            form = head[at : at + size]
        at += size + size % 2
    return None


def _described(form: bytes, start: int, size: int | None) -> WavData | None:
    if len(form) < _FMT.size:
        return None
    tag, channels, rate, _, _, bits = _FMT.unpack_from(form)
    if tag == _EXTENSIBLE and len(form) >= 26:
        tag = int.from_bytes(form[24:26], "little")
    codec = _FORMATS.get((tag, bits))
    if codec is None or not channels or not rate:
        return None
    return WavData(start, size, codec, rate, channels)
