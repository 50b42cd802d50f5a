"""Sounds that are made from numbers: noise, keys; and where a recording ceases to be audible."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

RATE: Final = 24_000
"""Samples a second of everything that is rendered."""
Samples = NDArray[np.int16]

_AUDIBLE_DBFS = -50.0
_FRAME = RATE // 100
_ROWS = (697, 770, 852, 941)  # Hz, ITU-T Q.23
_COLUMNS = (1209, 1336, 1477, 1633)
_PAD = "123A456B789C*0#D"
_KEY_MS = 100
_KEY_LEVEL = 6000.0  # of each tone


def trimmed(sound: Samples) -> Samples:
    """`sound` up to the end of its last frame of 10 ms that reaches -50 dBFS; what comes after it
    would be taken for a slow answer."""
    count = -(-sound.size // _FRAME)
    frames = np.pad(sound, (0, count * _FRAME - sound.size)).reshape(count, _FRAME)
    level = np.sqrt(np.square(frames, dtype=np.float64).mean(axis=1))
    audible = np.flatnonzero(level >= 32768.0 * 10 ** (_AUDIBLE_DBFS / 20))
    return sound[: (int(audible[-1]) + 1) * _FRAME] if audible.size else sound[:0]


def silence(ms: int) -> Samples:
    """Nothing."""
    return np.zeros(RATE * ms // 1000, dtype=np.int16)


def keys(pressed: str) -> Samples:
    """Telephone keys as tones: 100 ms each, with as much silence between them."""
    time = np.arange(RATE * _KEY_MS // 1000) / RATE
    pieces: list[Samples] = []
    for key in pressed:
        row, column = divmod(_PAD.index(key), 4)
        tones = np.sin(2 * np.pi * _ROWS[row] * time) + np.sin(2 * np.pi * _COLUMNS[column] * time)
        pieces += [np.rint(tones * _KEY_LEVEL).astype(np.int16), silence(_KEY_MS)]
    return np.concatenate(pieces[:-1])


def noise(kind: str, ms: int, level_db: float, seed: int) -> Samples:
    """`cough`, `door`, `pink`, `white` or `babble`, `ms` long, its RMS at `level_db` below full
    scale; equal seeds give equal samples."""
    chance = np.random.Generator(np.random.PCG64(seed))
    size = RATE * ms // 1000
    time = np.arange(size) / RATE
    white = chance.standard_normal(size)
    share = np.linspace(0.0, 1.0, size, endpoint=False)
    if kind == "white":
        wave = white
    elif kind == "pink":
        wave = _shaped(white, 0.5)
    elif kind == "door":
        wave = _shaped(white, 1.5) * np.exp(-share * 8)
    elif kind == "cough":
        bursts = np.exp(-((share - 0.15) ** 2) / 0.008) + 0.7 * np.exp(-((share - 0.6) ** 2) / 0.01)
        wave = _shaped(white, 0.4) * bursts
    else:
        wave = _babble(size, time, chance)
    scale = 32768.0 * 10 ** (level_db / 20) / float(np.sqrt(np.mean(wave**2)))
    samples: Samples = np.clip(np.rint(wave * scale), -32768, 32767).astype(np.int16)
    return samples


def _babble(
    size: int, time: NDArray[np.float64], chance: np.random.Generator
) -> NDArray[np.float64]:
    """Three voices without words: pink noise with the rhythm of syllables."""
    wave = np.zeros(size)
    for hertz in (3.1, 4.0, 5.3):
        phase = chance.random() * 2 * np.pi
        rhythm = np.clip(np.sin(2 * np.pi * hertz * time + phase), 0.0, None)
        wave += _shaped(chance.standard_normal(size), 0.5) * (0.2 + rhythm)
    return wave


def _shaped(white: NDArray[np.float64], slope: float) -> NDArray[np.float64]:
    """Noise whose amplitude falls with frequency to the power of `slope`, from 80 Hz on."""
    spectrum = np.fft.rfft(white)
    hertz = np.fft.rfftfreq(white.size, 1 / RATE)
    spectrum *= np.where(hertz < 80.0, 0.0, np.maximum(hertz, 80.0) ** -slope)
    shaped: NDArray[np.float64] = np.fft.irfft(spectrum, white.size)
    return shaped
