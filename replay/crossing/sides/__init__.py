"""What crossing needs to know of each provider: one module each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from recorder.errors import RecorderError
from replay.crossing.sides import openai, openai_live, vapi
from replay.crossing.sides.base import Side

SIDES: Final[Mapping[str, Side]] = {"openai": openai, "openai-live": openai_live, "vapi": vapi}
"""Provider -> its side."""


def side(name: str) -> Side:
    """The side of a provider; RecorderError for one that there is none of."""
    if name not in SIDES:
        raise RecorderError(
            f"no conversation is played to or from {name!r}: choose from {', '.join(SIDES)}"
        )
    return SIDES[name]
