"""I. Transport and audio: whether the agent's audio came in time to be played without a gap."""

from __future__ import annotations

from collections.abc import Iterator

from recorder.metrics.acoustics import TurnSound
from recorder.metrics.evidence import Evidence
from recorder.metrics.values import Value

_BUFFERS_MS = (0, 40, 100, 200)


def measure(evidence: Evidence, turns: list[TurnSound]) -> Iterator[Value]:
    """The start delay that would have avoided every gap, of each answer, and the rate of
    delivery."""
    for sound in turns:
        pieces = sound.pieces
        if len(pieces) < 2 or not evidence.is_timed:
            continue
        seqs = pieces[0].seq, pieces[-1].seq
        turn = sound.turn.turn
        needed, played, gap = 0.0, 0.0, 0.0
        begin = pieces[0].at_ms
        for before, piece in zip((pieces[0], *pieces), pieces, strict=False):
            needed = max(needed, piece.at_ms - begin - played)
            gap = max(gap, piece.at_ms - before.at_ms)
            played += piece.ms
        yield Value("required_prebuffer_ms", needed, *seqs, turn)
        yield Value("max_gap_ms", gap, *seqs, turn)
        for buffer in _BUFFERS_MS:
            short = max(0.0, needed - buffer)
            yield Value(f"stall_{buffer}_ms", short, *seqs, turn)
        span = pieces[-1].at_ms - begin
        if span > 0:
            sent = sum(piece.ms for piece in pieces)
            yield Value("delivery_rtf", sent / span, *seqs, turn)
    if evidence.clipped is not None and evidence.arrivals:
        seqs = evidence.arrivals[0].seq, evidence.arrivals[-1].seq
        yield Value("clipped_ratio", evidence.clipped, *seqs)
