"""The recorded speech that is shipped: short utterances of a caller."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path

from recorder.errors import RecorderError


def clip(name: str) -> bytes:
    """Mono 16-bit little-endian PCM at 24 kHz; RecorderError for a name that is not there."""
    from recorder.audio.files import read_audio
    from recorder.audio.pcm import to_bytes

    shipped = files("replay") / "audio"
    folder = shipped if shipped.is_dir() else Path(__file__).parent.parent / "fixtures" / "audio"
    with as_file(folder / f"{name}.flac") as path:
        if not path.exists():
            raise RecorderError(f"no recorded speech called {name!r}")
        samples, _ = read_audio(path)
    return to_bytes(samples)
