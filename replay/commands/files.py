"""What the commands share that are given files of text."""

from __future__ import annotations

from pathlib import Path

from recorder.errors import RecorderError


def read_text(path: Path, named: str, remedy: str) -> str:
    """A file's text. RecorderError if it cannot be read, with what it is `named` and the remedy."""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise RecorderError(f"{named} cannot be read ({why}): {remedy}") from None
