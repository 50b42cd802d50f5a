"""How an agent took what was said or sounded while it spoke: to be yielded to, or to be ignored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

YIELD_MS: Final = 2000.0
STOP_MS: Final = 1000.0


class Stimulus(NamedTuple):
    """A turn of a caller. `at_ms` is when it began; `over_agent` if its cue was that the agent had
    begun to speak, and came."""

    mode: str  # respond, yield, ignore
    at_ms: float
    ms: float
    over_agent: bool


def yields(stimuli: Sequence[Stimulus], cuts_ms: Sequence[float]) -> tuple[float, float]:
    """How often the agent was silent within 2 s of the caller's begin, and how often it should
    have been. `cuts_ms` are the times at which it fell silent because of the caller."""
    return _counted([each for each in stimuli if each.mode == "yield"], cuts_ms, 0.0, YIELD_MS)


def false_stops(stimuli: Sequence[Stimulus], cuts_ms: Sequence[float]) -> tuple[float, float]:
    """How often it fell silent for what it should have ignored, up to 1 s after its end."""
    return _counted([each for each in stimuli if each.mode == "ignore"], cuts_ms, 1.0, STOP_MS)


def _counted(
    stimuli: Sequence[Stimulus], cuts_ms: Sequence[float], share: float, within_ms: float
) -> tuple[float, float]:
    eligible = [each for each in stimuli if each.over_agent]
    found = 0
    for each in eligible:
        latest = each.at_ms + share * each.ms + within_ms
        found += any(each.at_ms <= cut <= latest for cut in cuts_ms)
    return float(found), float(len(eligible))
