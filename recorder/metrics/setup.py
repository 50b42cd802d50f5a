"""A. Setup: from the wish to talk to a session that can be talked to, and the greeting."""

from __future__ import annotations

from collections.abc import Iterator

from recorder.metrics.acoustics import TurnSound
from recorder.metrics.evidence import Evidence
from recorder.metrics.values import Value, over

_NS = 1e6


def measure(evidence: Evidence, turns: list[TurnSound]) -> Iterator[Value]:
    """`setup_ms` and its parts, `greeting_ms`."""
    told = evidence.models.outline
    seqs = evidence.models.seqs["outline", 1]
    steps = (
        ("setup_ms", "connected" if told.placed_ns is None else "placed", "ready"),
        ("setup_rest_ms", "placed", "placed_done"),
        ("setup_upgrade_ms", "connected", "opened"),
        ("setup_server_ms", "opened", "ready"),
        ("setup_config_ms", "configure", "configured"),
    )
    for name, begin, done in steps:
        start, end = getattr(told, f"{begin}_ns"), getattr(told, f"{done}_ns")
        if start is not None and end is not None and end >= start:
            yield Value(name, (end - start) / _NS, *over(seqs[begin], seqs[done]))
    first = turns[0] if turns else None
    if first is None or first.turn.origin != "agent" or told.ready_ns is None:
        return
    if first.agent_on is not None:
        value = first.agent_on - told.ready_ns / _NS
        between = over(seqs["ready"], first.seqs["agent_on"])
        yield Value("greeting_ms", value, *between, first.turn.turn, ("vad", "prebuffer_ms"))
