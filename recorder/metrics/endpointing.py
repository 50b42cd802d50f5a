"""C. Endpointing: how soon the provider knows that the user began, and has ended."""

from __future__ import annotations

from collections.abc import Iterator

from recorder.metrics.acoustics import TurnSound
from recorder.metrics.evidence import Evidence
from recorder.metrics.values import Value

_NS = 1e6


def measure(evidence: Evidence, turns: list[TurnSound]) -> Iterator[Value]:
    """`eos_delay_ms`, as read and as stamped, and `onset_delay_ms`; none of what a rule found."""
    for sound in turns:
        turn = sound.turn
        if sound.user_off is not None and turn.user_stopped_ns is not None:
            value = turn.user_stopped_ns / _NS - sound.user_off
            seqs = sound.between("user_off", "user_stopped")
            yield Value("eos_delay_ms", value, *seqs, turn.turn, ("vad",))
        if sound.user_off is not None and turn.user_stopped_stamp_ms is not None:
            value = turn.user_stopped_stamp_ms - evidence.wall_ms - sound.user_off
            seqs = sound.between("user_off", "user_stopped_stamp")
            yield Value("eos_delay_stamped_ms", value, *seqs, turn.turn, ("vad",))
        is_told = turn.turn not in evidence.models.derived
        if is_told and sound.user_on is not None and turn.user_started_ns is not None:
            value = turn.user_started_ns / _NS - sound.user_on
            seqs = sound.between("user_on", "user_started")
            yield Value("onset_delay_ms", value, *seqs, turn.turn, ("vad",))
