"""G. Tools: what a call of a function adds to the wait."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

from recorder.metrics.acoustics import TurnSound, resumed
from recorder.metrics.evidence import Evidence
from recorder.metrics.values import Value, over

_NS = 1e6


def measure(evidence: Evidence, turns: list[TurnSound]) -> Iterator[Value]:
    """Deciding, running and resuming for each call; duplicates and failures of the session."""
    calls = evidence.models.tool_calls
    for call in calls:
        sound = turns[call.turn - 1]
        called = call.called_ns / _NS
        if sound.user_off is not None:
            value = called - sound.user_off
            seqs = over(sound.seqs["user_off"], call.first_seq)
            yield Value("tool_decide_ms", value, *seqs, call.turn, ("vad",))
        if call.answered_ns is None:
            continue
        answered = call.answered_ns / _NS
        if evidence.is_timed:
            seqs = call.first_seq, call.last_seq
            yield Value("tool_exec_ms", answered - called, *seqs, call.turn)
        heard = resumed(evidence, sound, answered)
        if heard is not None:
            seqs = over(call.last_seq, heard[1])
            needs = ("voiced_dbfs", "prebuffer_ms")
            yield Value("tool_resume_ms", heard[0] - answered, *seqs, call.turn, needs, 2)
    if calls:
        seqs = calls[0].first_seq, max(call.last_seq for call in calls)
        asked = Counter((call.name, _canonical(call.arguments)) for call in calls)
        twice = sum(count - 1 for count in asked.values())
        yield Value("tool_calls", len(calls), *seqs)
        yield Value("tool_duplicates", twice, *seqs)
        yield Value("tool_failures", sum(bool(call.failed) for call in calls), *seqs)
        invalid = sum(_canonical(call.arguments) is None for call in calls)
        yield Value("tool_invalid", invalid, *seqs)


def _canonical(arguments: str) -> str | None:
    """JSON in one form; None for what is no JSON object."""
    try:
        found = json.loads(arguments or "{}")
    except ValueError:
        return None
    return json.dumps(found, sort_keys=True) if isinstance(found, dict) else None
