"""A. Setup: from the wish to talk to a session that can be talked to, and the greeting."""

from __future__ import annotations

from collections.abc import Iterator

from recorder.metrics.acoustics import TurnSound
from recorder.metrics.evidence import Evidence
from recorder.metrics.values import Value

_NS = 1e6


def measure(evidence: Evidence, turns: list[TurnSound]) -> Iterator[Value]:
    """`setup_ms` and its parts, `greeting_ms`."""
    told = evidence.models.outline
    begin = told.placed_ns if told.placed_ns is not None else told.connected_ns
    steps = (
        ("setup_ms", begin, told.ready_ns),
        ("setup_rest_ms", told.placed_ns, told.placed_done_ns),
        ("setup_upgrade_ms", told.connected_ns, told.opened_ns),
        ("setup_server_ms", told.opened_ns, told.ready_ns),
        ("setup_config_ms", told.configure_ns, told.configured_ns),
    )
    last = told.last_seq
    for name, start, end in steps:
        if start is not None and end is not None and end >= start:
            yield Value(name, (end - start) / _NS, told.first_seq, last)
    first = turns[0] if turns else None
    if first is None or first.turn.origin != "agent" or told.ready_ns is None:
        return
    if first.agent_on is not None and first.pieces:
        value = first.agent_on - told.ready_ns / _NS
        seqs = told.first_seq, first.pieces[-1].seq
        yield Value("greeting_ms", value, *seqs, first.turn.turn, ("vad", "prebuffer_ms"))
