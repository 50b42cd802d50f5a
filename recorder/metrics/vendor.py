"""What the provider measured itself, beside ours; how it does so is not published."""

from __future__ import annotations

from collections.abc import Iterator

from recorder.metrics.acoustics import TurnSound
from recorder.metrics.evidence import Evidence
from recorder.metrics.values import Value, over

_PARTS = ("transcriberLatency", "modelLatency", "voiceLatency")


def measure(evidence: Evidence, turns: list[TurnSound]) -> Iterator[Value]:
    """Vapi's latencies under its own names. They are numbered by Vapi's turns; where those are as
    many as the turns that were answered here, they are taken for the same."""
    told = evidence.models.vendor
    answered = [each for each in turns if each.user_off is not None and each.agent_on is not None]
    numbers = sorted({row.vendor_turn for row in told})
    same = dict(zip(numbers, answered, strict=True)) if len(numbers) == len(answered) else {}
    for row in told:
        sound = same.get(row.vendor_turn)
        turn = sound.turn.turn if sound else None
        yield Value(f"vendor_{row.name}_ms", row.ms, row.seq, row.seq, turn)
    for number, sound in same.items():
        mine = [row for row in told if row.vendor_turn == number and row.name in _PARTS]
        parts = [row.ms for row in mine]
        if len(parts) == len(_PARTS) and sound.agent_on is not None and sound.user_off is not None:
            value = sound.agent_on - sound.user_off - sum(parts)
            seqs = over(sound.seqs["user_off"], sound.seqs["agent_on"], *(row.seq for row in mine))
            yield Value(
                "vendor_residual_ms", value, *seqs, sound.turn.turn, ("vad", "prebuffer_ms")
            )
