"""The caller's sound, rendered before any connection opens."""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from recorder.audio.files import decode_flac, encode_flac, read_audio
from recorder.audio.pcm import resample, samples, to_bytes
from recorder.errors import RecorderError
from recorder.trial.espeak import Espeak
from recorder.trial.scenario import Scenario, Turn, Voice
from recorder.trial.sounds import RATE, Samples, keys, noise, silence, trimmed

_SOUND_VERSION = "1"
"""Of how a text becomes a file of the cache."""


class Clip(NamedTuple):
    """What a turn sounds like: mono PCM16 at 24 kHz, and its digest. `ms` is without the tail."""

    pcm: bytes
    ms: int
    sha256: str


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Where spoken texts are kept: in the user's cache (XDG base directories)."""
    home = environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME", "."), ".cache")
    return Path(home) / "conversation-recorder" / "speech"


class Renderer:
    """Renders turns; speech is kept in `folder`, by a digest of all that it depends on."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def render(self, scenario: Scenario, beside: Path) -> dict[int, Clip]:
        """The clips of a scenario whose file stands in the folder `beside`, by turn. RecorderError
        for a text or a file that gives no sound."""
        return {
            turn.number: self._clip(scenario, turn, beside)
            for turn in scenario.turns
            if turn.silence_ms is None
        }

    def _clip(self, scenario: Scenario, turn: Turn, beside: Path) -> Clip:
        sound = self._sound(scenario, turn, beside)
        if not sound.size:
            what = turn.say or turn.file
            raise RecorderError(f"scenario {scenario.id}, turn {turn.number}: {what!r} is silent")
        tail = silence(scenario.voice.tail_silence_ms).tobytes()
        pcm = to_bytes(sound) + tail
        return Clip(pcm, sound.size * 1000 // RATE, hashlib.sha256(pcm).hexdigest())

    def _sound(self, scenario: Scenario, turn: Turn, beside: Path) -> Samples:
        if turn.say is not None:
            return trimmed(self._said(turn.say, scenario.voice))
        if turn.file is not None:
            found, rate = read_audio(beside / turn.file)
            return trimmed(resample(found, rate, RATE))
        if turn.dtmf is not None:
            return keys(turn.dtmf)
        assert turn.noise is not None
        seed = zlib.crc32(f"{scenario.seed}/{turn.number}".encode())
        return noise(turn.noise.kind, turn.noise.ms, turn.noise.level_db, seed)

    def _said(self, text: str, voice: Voice) -> Samples:
        engine = _engine()
        facts = [_SOUND_VERSION, engine.version, voice.voice, voice.wpm, voice.pitch, text]
        name = hashlib.sha256(json.dumps(facts).encode()).hexdigest()
        path = self._folder / f"{name}.flac"
        if path.exists():
            return samples(decode_flac(path.read_bytes()))
        spoken = engine.say(text, voice.voice, voice.wpm, voice.pitch)
        sound = resample(spoken, engine.rate, RATE)
        self._keep(path, encode_flac(to_bytes(sound), RATE))
        return sound

    def _keep(self, path: Path, data: bytes) -> None:
        """Write a file whole or not at all."""
        part = path.with_suffix(f".{os.getpid()}")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            part.write_bytes(data)
            part.replace(path)
        except OSError as error:
            raise RecorderError(f"cannot keep speech in {self._folder}: {error.strerror}") from None


@cache
def _engine() -> Espeak:
    return Espeak()
