"""FLAC in memory and WAV on disk, by libsndfile."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from recorder.audio.pcm import samples, to_bytes
from recorder.errors import RecorderError

_FLAC_CHANNELS = 8
_FLAC_RATE = 655_350


def _scratch() -> IO[bytes]:
    """A nameless file with a descriptor of its own, in memory where the system has such."""
    if hasattr(os, "memfd_create"):
        return open(os.memfd_create("audio"), "w+b", buffering=0)
    return tempfile.TemporaryFile(buffering=0)


def _flac_rate(rate: int) -> int:
    """The nearest rate that a FLAC frame can carry: any up to 65535, then multiples of ten."""
    inside = min(max(rate, 1), _FLAC_RATE)
    return inside if inside < 1 << 16 else round(inside, -1)


def encode_flac(pcm: bytes, rate: int, channels: int = 1) -> bytes:
    """FLAC of interleaved little-endian 16-bit PCM; ``b""`` for no audio.

    Made for a thread beside an event loop: at libsndfile's fastest level, and into a descriptor,
    since callbacks into a Python file (some twenty a second of audio) would each have to wait for
    the interpreter lock. A rate that FLAC cannot carry is written as the nearest it can, so the
    caller keeps the rate; the samples are exact. ValueError for a part of a frame or for a number
    of channels outside 1 to 8.
    """
    if not 1 <= channels <= _FLAC_CHANNELS:
        raise ValueError(f"FLAC holds 1 to {_FLAC_CHANNELS} channels, not {channels}")
    if len(pcm) % (2 * channels):
        raise ValueError(f"{len(pcm)} bytes are not whole frames of {channels} 16-bit samples")
    if not pcm:
        return b""
    import soundfile

    with _scratch() as file:
        soundfile.write(
            file.fileno(),
            np.frombuffer(pcm, "<i2").astype(np.int16, copy=False).reshape(-1, channels),
            _flac_rate(rate),
            subtype="PCM_16",
            format="FLAC",
            closefd=False,
            compression_level=0.0,
        )
        file.seek(0)
        return file.read()


def decode_flac(data: bytes, channels: int = 1) -> bytes:
    """The interleaved little-endian 16-bit PCM that `encode_flac` was given.

    RecorderError for data that is not 16-bit FLAC with this number of channels.
    """
    if not data:
        return b""
    import soundfile

    with _scratch() as file:
        file.write(data)
        file.seek(0)
        try:
            with soundfile.SoundFile(file.fileno(), closefd=False) as flac:
                _check_flac(flac, channels)
                return to_bytes(flac.read(dtype="int16"))
        except soundfile.LibsndfileError as error:
            raise RecorderError(f"audio is not readable FLAC: {error.error_string}") from error


def _check_flac(flac: Any, channels: int) -> None:
    if (flac.format, flac.subtype) != ("FLAC", "PCM_16"):
        raise RecorderError(f"audio is {flac.format} {flac.subtype}; 16-bit FLAC was expected")
    if flac.channels != channels:
        raise RecorderError(f"FLAC has {flac.channels} channels; {channels} were expected")


def write_wav(path: Path, pcm: bytes, rate: int, channels: int = 1) -> None:
    """Write interleaved little-endian 16-bit PCM as a WAV file.

    RecorderError if it cannot be written, ValueError for a part of a frame.
    """
    import soundfile

    frames = samples(pcm).reshape(-1, channels)
    try:
        with path.open("wb") as file:
            soundfile.write(file, frames, rate, subtype="PCM_16", format="WAV")
    except OSError as error:
        raise RecorderError(f"cannot write {path}: {error.strerror or error}") from error


def read_audio(path: Path) -> tuple[NDArray[np.int16], int]:
    """Mono samples and rate of a WAV, FLAC or other file that libsndfile reads.

    More channels are averaged. RecorderError for a file that cannot be read.
    """
    import soundfile

    try:
        frames, rate = soundfile.read(path, dtype="int16", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        why = _reason(error) if path.exists() else "there is no such file"
        raise RecorderError(f"cannot read {path} as audio: {why}") from error
    if frames.shape[1] == 1:
        return frames[:, 0], int(rate)
    return np.rint(frames.mean(axis=1)).astype(np.int16), int(rate)


def _reason(error: Exception) -> str:
    """What libsndfile says, without the name of the file that it repeats."""
    return str(getattr(error, "error_string", error))
