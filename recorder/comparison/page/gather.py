"""What a page shows of a comparison, read from the store that it was made of."""

from __future__ import annotations

from typing import Any, NamedTuple

from recorder.comparison.evidence import Evidence
from recorder.comparison.page import sections, verdicts
from recorder.comparison.page.clips import MOST, components, listen
from recorder.comparison.result import Comparison
from recorder.store.base import Store


class Gathered(NamedTuple):
    """`facts` are JSON; `sounds` the FLAC that they name by place."""

    facts: dict[str, Any]
    sounds: list[bytes]


def gather(store: Store, comparison: Comparison, evidence: Evidence, most: int = MOST) -> Gathered:
    """All that a page shows, with at most so many bytes of sound."""
    arms = [arm.name for arm in comparison.arms]
    runs = [run for run in evidence.runs if run.is_valid]
    heard = listen(store, evidence, arms, most)
    facts = {
        "head": verdicts.head(comparison),
        "pairs": verdicts.pairs(comparison),
        "exclusions": verdicts.exclusions(comparison),
        "plots": sections.plots(runs, arms),
        "spread": sections.spread(runs, arms),
        "money": sections.money(runs, arms, components(store, evidence)),
        "grid": sections.grid(runs, arms),
        "turns": heard.turns,
        "paired": heard.paired,
        "left_out": heard.left_out,
    }
    return Gathered(facts, heard.sounds)
