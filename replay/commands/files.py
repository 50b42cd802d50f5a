"""What the commands share that are given files of text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from recorder.errors import RecorderError

_T = TypeVar("_T")


def read_text(path: Path, named: str, remedy: str) -> str:
    """A file's text. RecorderError if it cannot be read, with what it is `named` and the remedy."""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise RecorderError(f"{named} cannot be read ({why}): {remedy}") from None


def read_each(
    paths: Sequence[Path], option: str, noun: str, parse: Callable[[str, str], Iterable[_T]]
) -> tuple[_T, ...]:
    """What the files of an option hold, one `noun` a line. `parse` gets a text and the name of its
    file. RecorderError if one cannot be read."""
    remedy = f"give a text file with one {noun} a line"
    texts = ((read_text(path, f"{option} {path}", remedy), str(path)) for path in paths)
    return tuple(each for text, name in texts for each in parse(text, name))
