"""What a scenario becomes for each provider: one module each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from recorder.errors import RecorderError
from recorder.trial.sides import openai, openai_live, vapi
from recorder.trial.sides.base import Side

SIDES: Final[Mapping[str, Side]] = {"openai": openai, "openai-live": openai_live, "vapi": vapi}
"""Provider -> its side."""


def side(name: str) -> Side:
    """The side of a provider; RecorderError for one that there is none of."""
    if name not in SIDES:
        raise RecorderError(f"no trial with {name!r}: choose from {', '.join(SIDES)}")
    return SIDES[name]
