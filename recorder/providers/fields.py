"""Values at a path of a message's JSON, whatever its shape is: what is not there is empty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def at(message: object, *path: str) -> Any:
    """What stands at a path, or None."""
    for key in path:
        message = message.get(key) if isinstance(message, Mapping) else None
    return message


def text_at(message: object, *path: str) -> str:
    """The text there, or ``""``."""
    found = at(message, *path)
    return found if isinstance(found, str) else ""


def list_at(message: object, *path: str) -> list[Any]:
    """The list there, or an empty one."""
    found = at(message, *path)
    return found if isinstance(found, list) else []


def number_at(message: object, *path: str) -> float | None:
    """The number there, or None."""
    found = at(message, *path)
    is_number = isinstance(found, int | float) and not isinstance(found, bool)
    return float(found) if is_number else None
