"""A value on its way to a row: what was measured, and on which events it rests."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from recorder.metrics.catalogue import about
from recorder.metrics.evidence import Settings
from recorder.projections.marks import MetricRow


class Value(NamedTuple):
    """One measured value; `turn` None is the whole session. `needs`: the settings it depends on,
    by field of `Settings`."""

    metric: str
    value: float
    first_seq: int
    last_seq: int
    turn: int | None = None
    needs: tuple[str, ...] = ()
    version: int = 1


def over(*seqs: int) -> tuple[int, int]:
    """The first and the last of some events."""
    return min(seqs), max(seqs)


def rows(session: str, values: Iterable[Value], settings: Settings) -> list[MetricRow]:
    """The values as rows of the table `metric`, in order."""
    return [
        MetricRow(
            session,
            number,
            each.turn,
            each.metric,
            round(each.value, 6),
            about(each.metric).unit,
            f"{each.metric}/{each.version}",
            _parameters(settings, each.needs),
            each.first_seq,
            each.last_seq,
        )
        for number, each in enumerate(values, 1)
    ]


def _parameters(settings: Settings, needs: tuple[str, ...]) -> str:
    chosen: dict[str, Any] = {}
    for name in needs:
        found = getattr(settings, name)
        chosen[name] = found._asdict() if hasattr(found, "_asdict") else found
    return json.dumps(chosen, sort_keys=True, separators=(",", ":"))
