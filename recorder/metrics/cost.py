"""H. Cost: the bill against what was got for it. A bill with an unknown price has no total."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from recorder.metrics.acoustics import TurnSound
from recorder.metrics.evidence import Evidence
from recorder.metrics.values import Value


def measure(evidence: Evidence, turns: list[TurnSound]) -> Iterator[Value]:
    """The total, per minute and per turn, and how much of the input was cached."""
    lines = evidence.costs
    if not lines:
        return
    seqs = min(line.seq for line in lines), max(line.seq for line in lines)
    known = [Decimal(line.usd) for line in lines if line.usd is not None]
    if len(known) == len(lines):
        usd = float(sum(known))
        yield Value("usd", usd, *seqs)
        connected = _connected_ms(evidence)
        if connected > 0:
            yield Value("usd_per_minute", usd * 60_000 / connected, *seqs)
        spoken = [each for each in turns if each.user_off is not None or each.turn.user_text]
        if spoken:
            yield Value("usd_per_turn", usd / len(spoken), *seqs)
    counted = [line for line in lines if (line.component, line.unit) == ("model", "token")]
    tokens = {line.meter: Decimal(0) for line in counted}
    for line in counted:
        tokens[line.meter] += Decimal(line.quantity)
    taken = sum((n for name, n in tokens.items() if "_in" in name or "cached" in name), Decimal(0))
    cached = sum((n for name, n in tokens.items() if "cached" in name), Decimal(0))
    if taken:
        yield Value("cached_ratio", float(cached / taken), *seqs)


def _connected_ms(evidence: Evidence) -> float:
    """How long the conversation was: what is fetched after its end does not count."""
    told = evidence.models.outline
    begin = told.opened_ns or 0
    end = evidence.end_ms * 1e6 if told.ended_ns is None else told.ended_ns
    return (end - begin) / 1e6
