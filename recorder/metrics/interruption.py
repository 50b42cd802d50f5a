"""E. Interruption: how soon an agent that is talked over falls silent, and what nobody heard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from recorder.audio.speech import Interval
from recorder.metrics.acoustics import TurnSound
from recorder.metrics.evidence import Arrival, Evidence
from recorder.metrics.values import Value
from recorder.projections.rows import InterruptionRow

_NS = 1e6
_HEARD = ("vad", "prebuffer_ms")


def measure(evidence: Evidence, turns: list[TurnSound]) -> Iterator[Value]:
    """The values of each interruption; they belong to the turn that was interrupted."""
    for cut in evidence.models.interruptions:
        interrupted = turns[cut.turn - 1]
        following = turns[cut.turn] if cut.turn < len(turns) else None
        yield from _yielding(evidence, cut, following)
        yield from _unheard(evidence, cut, interrupted)
    yield from _agent_interrupts(turns)


def _yielding(
    evidence: Evidence, cut: InterruptionRow, following: TurnSound | None
) -> Iterator[Value]:
    """From the first sound of the user to the provider's word, and to silence."""
    on = following.user_on if following else None
    if on is None or following is None:
        return
    seqs = cut.first_seq, max(cut.last_seq, following.turn.first_seq)
    speaking = _over(evidence.agent_speech, on)
    if speaking is None:
        return  # the agent was silent: nothing was talked over
    yield Value("yield_ms", _silent_at(evidence, speaking) - on, *seqs, cut.turn, _HEARD)
    if cut.detected_ns is None:
        return
    detected = cut.detected_ns / _NS
    yield Value("yield_detect_ms", detected - on, *seqs, cut.turn, ("vad",))
    dropped = [at for at in evidence.cut_ms if at >= detected]
    if dropped:
        yield Value("yield_act_ms", dropped[0] - detected, *seqs, cut.turn)
    late = [
        piece
        for piece in evidence.arrivals
        if piece.voiced_ms is not None and detected < piece.at_ms <= (cut.ended_ns or 0) / _NS
    ]
    if late:
        tail = late[-1].at_ms - detected
        yield Value("server_tail_ms", tail, *seqs, cut.turn, ("voiced_dbfs",))


def _over(speech: Sequence[Interval], at: float) -> Interval | None:
    """The interval that was under way at a moment."""
    for each in speech:
        if each.start_ms <= at < each.end_ms:
            return each
    return None


def _silent_at(evidence: Evidence, speaking: Interval) -> float:
    """When an interval of the agent ended: exactly, where the listener cut it off."""
    begin = speaking.end_ms - evidence.settings.vad.frame_ms
    return next((at for at in evidence.cut_ms if begin <= at <= speaking.end_ms), speaking.end_ms)


def _unheard(evidence: Evidence, cut: InterruptionRow, sound: TurnSound) -> Iterator[Value]:
    """How much of the answer nobody heard, and how far off the client's own account of it is."""
    pieces = [piece for piece in sound.pieces if cut.item is None or piece.item == cut.item]
    generated = sum(piece.ms for piece in pieces)
    if not generated:
        return
    heard = sum(_heard_ms(evidence, piece) for piece in pieces)
    seqs = pieces[0].seq, max(pieces[-1].seq, cut.last_seq)
    yield Value(
        "unheard_ratio",
        max(0.0, 1 - heard / generated),
        *seqs,
        cut.turn,
        ("prebuffer_ms",),
    )
    if cut.heard_ms is not None and cut.item is not None:
        error = abs(cut.heard_ms - heard)
        yield Value("truncate_error_ms", error, *seqs, cut.turn, ("prebuffer_ms",))


def _heard_ms(evidence: Evidence, piece: Arrival) -> float:
    """How much of a piece was played before the listener dropped the rest."""
    if piece.played_ms is None:
        return 0.0
    end = piece.played_ms + piece.ms
    stops = [at for at in evidence.cut_ms if piece.at_ms <= at < end]
    return max(0.0, min([end, *stops]) - piece.played_ms)


def _agent_interrupts(turns: list[TurnSound]) -> Iterator[Value]:
    """How often the agent began while the user still spoke."""
    spoken = [each for each in turns if each.user_off is not None and each.agent_on is not None]
    if not spoken:
        return
    over = [each for each in spoken if (each.agent_on or 0.0) < (each.user_off or 0.0)]
    seqs = spoken[0].turn.first_seq, spoken[-1].turn.last_seq
    yield Value("agent_interrupts", len(over), *seqs, None, _HEARD)
