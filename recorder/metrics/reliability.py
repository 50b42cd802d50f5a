"""J. Reliability and validity: what failed, and whether the client kept time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from recorder.metrics.acoustics import TurnSound
from recorder.metrics.evidence import Evidence
from recorder.metrics.values import Value, over

_PAUSE_MS = 500.0  # a client that sends nothing for so long has closed its microphone


def measure(evidence: Evidence, turns: list[TurnSound]) -> Iterator[Value]:
    """Errors by class, stalls, and the pacing of the client's audio."""
    errors = evidence.models.errors
    told = evidence.models.outline
    seqs = told.first_seq, told.last_seq
    yield Value("errors", len(errors), *seqs)
    for name, count in sorted(Counter(row.class_ for row in errors).items()):
        mine = over(*(row.seq for row in errors if row.class_ == name))
        yield Value(f"errors_{name}", count, *mine)
    if told.stalls:
        yield Value("stalls", told.stalls, *seqs)
    yield from _pacing(evidence)


def _pacing(evidence: Evidence) -> Iterator[Value]:
    """How far the client's audio was from real time: a piece is due when those before it, since
    the microphone opened, have been spoken."""
    sent = evidence.sent
    if len(sent) < 2 or not evidence.is_timed:
        return
    errors: list[float] = []
    begin, spoken = sent[0].at_ms, 0.0
    total = wall = 0.0
    for before, piece in pairwise(sent):
        spoken += before.ms
        if piece.at_ms - before.at_ms > before.ms + _PAUSE_MS:
            begin, spoken = piece.at_ms, 0.0
            continue
        total += before.ms
        wall += piece.at_ms - before.at_ms
        errors.append(abs(piece.at_ms - begin - spoken))
    if errors:
        seqs = sent[0].seq, sent[-1].seq
        yield Value("pacing_error_p99_ms", float(np.quantile(errors, 0.99)), *seqs)
        if wall:
            yield Value("realtime_ratio", total / wall, *seqs)
