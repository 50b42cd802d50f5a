"""A synthetic voice: not words, but sound with the rhythm, pitch and spectrum of speech.

Vowels are three decaying resonances struck once per pitch period, consonants are shaped noise,
spaces and punctuation are silence. The same text always gives the same samples.
"""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

VOICE_RATE = 24_000  # samples a second
_LETTER_S = 0.060
_PAUSES_S = {" ": 0.045, ",": 0.150, ";": 0.150, ":": 0.150, ".": 0.240, "!": 0.240, "?": 0.240}
_FORMANTS = {  # Hz, averages of published vowel charts
    "a": (730, 1090, 2440),
    "e": (530, 1840, 2480),
    "i": (270, 2290, 3010),
    "o": (570, 840, 2410),
    "u": (300, 870, 2240),
    "y": (300, 2000, 2700),
}
_WEIGHTS = (1.0, 0.6, 0.3)
_BANDWIDTH = 90.0  # Hz, how fast a resonance dies away
_LOUDNESS = 9000.0
_VOICED = frozenset("bdgjlmnrvwz")


def synthesise(text: str, speed: float = 1.0) -> NDArray[np.int16]:
    """Mono int16 samples at 24 kHz; about 60 ms a letter at speed 1."""
    noise = np.random.Generator(np.random.PCG64(zlib.crc32(text.encode("utf-8", "replace"))))
    pieces = [np.zeros(round(0.03 * VOICE_RATE))]
    spoken = 0
    for letter in text.lower():
        if letter in _PAUSES_S or not letter.isalnum():
            pieces.append(np.zeros(round(_PAUSES_S.get(letter, 0.0) / speed * VOICE_RATE)))
            continue
        spoken += 1
        length = round(_LETTER_S / speed * VOICE_RATE)
        pieces.append(_letter(letter, length, _pitch(spoken), noise))
    samples: NDArray[np.float64] = np.concatenate(pieces) * _LOUDNESS
    return np.clip(np.rint(samples), -32_000, 32_000).astype(np.int16)


def _pitch(place: int) -> float:
    """Hz: a phrase falls from 150 and rises again every thirty letters."""
    return 150.0 - 1.5 * (place % 30)


def _grid(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rounded to 2^-12, so that products and sums are exact and alike on every machine."""
    rounded: NDArray[np.float64] = np.rint(values * 4096.0) / 4096.0
    return rounded


def _letter(
    letter: str, length: int, pitch: float, noise: np.random.Generator
) -> NDArray[np.float64]:
    envelope = _grid(np.sin(np.pi * (np.arange(length) + 0.5) / length) ** 0.5)
    if letter in _FORMANTS or letter.isdigit():
        return envelope * _vowel(_FORMANTS.get(letter, _FORMANTS["e"]), length, pitch)
    hiss = _grid(noise.random(length) - 0.5)
    if letter in _VOICED:
        return envelope * (0.6 * _vowel((250, 1200, 2300), length, pitch) + 0.1 * hiss)
    return envelope * 0.5 * hiss


def _vowel(formants: tuple[int, int, int], length: int, pitch: float) -> NDArray[np.float64]:
    since_strike = np.arange(length) / VOICE_RATE % (1.0 / pitch)
    decay = _grid(np.exp(-np.pi * _BANDWIDTH * since_strike))
    waves = [
        _grid(weight * np.sin(2 * np.pi * formant * since_strike))
        for weight, formant in zip(_WEIGHTS, formants, strict=True)
    ]
    vowel: NDArray[np.float64] = decay * np.sum(waves, axis=0)
    return vowel
