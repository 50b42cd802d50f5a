"""Audio of the call socket: formats, the assistant's voice, and what both sides said in stereo."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recorder.audio import codec, pcm
from recorder.spans import Codec
from replay.simulators.common.voice import VOICE_RATE, synthesise
from replay.simulators.vapi.errors import Json, Refusal

FRAME_MS = 20
_NS = 1_000_000_000
_CODECS: dict[str, tuple[Codec, int]] = {"pcm_s16le": ("pcm16", 16_000), "mulaw": ("pcmu", 8_000)}
_LEAST_RATE = 3000
_LATE_NS = 60_000_000

Samples = NDArray[np.int16]


class Form(NamedTuple):
    """The format of a call's audio, both ways."""

    codec: Codec
    rate: int

    def until(self, frames: int) -> int:
        """Samples in so many frames of 20 ms, the last one cut to whole samples."""
        return frames * self.rate * FRAME_MS // 1000

    @property
    def width(self) -> int:
        """Bytes of a sample."""
        return 2 if self.codec == "pcm16" else 1

    def encode(self, samples: Samples) -> bytes:
        """Wire bytes."""
        return codec.encode(samples, self.codec)

    def decode(self, data: bytes) -> Samples:
        """Samples of whole wire bytes."""
        return codec.decode(data, self.codec)


def form(transport: Json) -> tuple[Form, Json]:
    """The format that a transport asks for, and the object that says so in full."""
    asked = transport.get("audioFormat") or {}
    name = asked.get("format") or "pcm_s16le"
    coded, usual = _CODECS[name]
    rate = int(asked.get("sampleRate") or usual)
    if rate < _LEAST_RATE:
        text = f"transport.audioFormat.sampleRate must not be less than {_LEAST_RATE}"
        raise Refusal(400, [text])
    return Form(coded, rate), {"format": name, "container": "raw", "sampleRate": rate}


def speak(text: str, rate: int, speech: Mapping[str, bytes]) -> Samples:
    """How the assistant says a text."""
    known = speech.get(text)
    if known is None:
        return _voice(text, rate)
    return pcm.resample(pcm.samples(known), VOICE_RATE, rate)


@lru_cache(maxsize=64)
def _voice(text: str, rate: int) -> Samples:
    samples = pcm.resample(synthesise(text), VOICE_RATE, rate)
    samples.flags.writeable = False
    return samples


class Lane:
    """What one side sent, placed on the time of the call; silence where nothing came."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._data = bytearray()

    @property
    def length(self) -> int:
        """In samples."""
        return len(self._data) // 2

    def put(self, samples: Samples, at_ns: int) -> None:
        """Append what came `at_ns` into the call; what is late by more than jitter leaves a gap."""
        if (at_ns - _LATE_NS) * self._rate // _NS > self.length:
            self._data += bytes(2 * (at_ns * self._rate // _NS - self.length))
        self._data += pcm.to_bytes(samples)

    def part(self, start: int, end: int) -> Samples:
        """The samples from `start` to `end`, with silence where nothing came."""
        data = bytes(self._data[2 * start : 2 * end])
        return pcm.samples(data.ljust(2 * (end - start), b"\0"))


def mixed(one: Samples, other: Samples) -> Samples:
    """Both at once."""
    both = one.astype(np.int32) + other
    clipped: Samples = np.clip(both, -32_768, 32_767).astype(np.int16)
    return clipped


def wav(samples: Samples, rate: int, channels: int = 1) -> bytes:
    """A WAV file of interleaved 16-bit samples."""
    data = pcm.to_bytes(samples)
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        36 + len(data),
        b"WAVE",
        b"fmt ",
        16,
        1,
        channels,
        rate,
        rate * 2 * channels,
        2 * channels,
        16,
        b"data",
        len(data),
    )
    return head + data
