"""Metrics: one file a family, pure; docs/metrics.md defines each. A value without evidence is not
there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from recorder.metrics import (
    cost,
    endpointing,
    floor,
    interruption,
    reliability,
    response,
    setup,
    tools,
    transcription,
    transport,
    vendor,
)
from recorder.metrics.acoustics import TurnSound, turn_sounds
from recorder.metrics.catalogue import about
from recorder.metrics.evidence import Evidence
from recorder.metrics.values import Value, rows
from recorder.projections.marks import MetricRow

VERSION: Final = "3"
"""Of all definitions together: values of an older version are made anew when they are next read."""

_TIMES: Final = frozenset({"ms", "per minute"})
Family = Callable[[Evidence, list[TurnSound]], Iterator[Value]]
FAMILIES: Final[Mapping[str, Family]] = {
    "setup": setup.measure,
    "response": response.measure,
    "endpointing": endpointing.measure,
    "transcription": transcription.measure,
    "interruption": interruption.measure,
    "floor": floor.measure,
    "tools": tools.measure,
    "cost": cost.measure,
    "transport": transport.measure,
    "reliability": reliability.measure,
    "vendor": vendor.measure,
}


def measure(evidence: Evidence) -> list[MetricRow]:
    """All values of a session."""
    turns = turn_sounds(evidence)
    values = (value for family in FAMILIES.values() for value in family(evidence, turns))
    if not evidence.is_timed:
        values = (value for value in values if about(value.metric).unit not in _TIMES)
    return rows(evidence.models.outline.session, values, evidence.settings)
