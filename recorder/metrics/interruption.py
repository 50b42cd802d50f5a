"""E. Interruption: how soon an agent that is talked over falls silent, and what nobody heard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from recorder.audio.speech import Interval
from recorder.metrics.acoustics import TurnSound
from recorder.metrics.evidence import Arrival, Dropped, Evidence
from recorder.metrics.values import Value, over
from recorder.projections.rows import InterruptionRow

_NS = 1e6
_HEARD = ("vad", "prebuffer_ms")


def measure(evidence: Evidence, turns: list[TurnSound]) -> Iterator[Value]:
    """The values of each interruption; they belong to the turn that was interrupted."""
    for cut in evidence.models.interruptions:
        interrupted = turns[cut.turn - 1]
        if cut.turn < len(turns):
            yield from _yielding(evidence, cut, turns[cut.turn])
        yield from _unheard(evidence, cut, interrupted)
    yield from _agent_interrupts(turns)


def _yielding(evidence: Evidence, cut: InterruptionRow, following: TurnSound) -> Iterator[Value]:
    """From the first sound of the user to the provider's word, and to silence."""
    on = following.user_on
    speaking = None if on is None else _during(evidence.agent_speech, on)
    if on is None or speaking is None:
        return  # the agent was silent: nothing was talked over
    on_seq = following.seqs["user_on"]
    silent = _silent_at(evidence, speaking)
    yield Value("yield_ms", silent.at_ms - on, *over(on_seq, silent.seq), cut.turn, _HEARD)
    if cut.detected_ns is None:
        return
    detected = cut.detected_ns / _NS
    seq = evidence.models.seqs["interruption", cut.ordinal]["detected"]
    yield Value("yield_detect_ms", detected - on, *over(on_seq, seq), cut.turn, ("vad",))
    dropped = next((each for each in evidence.dropped if each.at_ms >= detected), None)
    if dropped is not None:
        value = dropped.at_ms - detected
        yield Value("yield_act_ms", value, *over(seq, dropped.seq), cut.turn)
    late = [
        piece
        for piece in evidence.arrivals
        if piece.voiced_ms is not None and detected < piece.at_ms <= (cut.ended_ns or 0) / _NS
    ]
    if late:
        tail = late[-1].at_ms - detected
        yield Value("server_tail_ms", tail, *over(seq, late[-1].seq), cut.turn, ("voiced_dbfs",))


def _during(speech: Sequence[Interval], at: float) -> Interval | None:
    """The interval that was under way at a moment."""
    for each in speech:
        if each.start_ms <= at < each.end_ms:
            return each
    return None


def _silent_at(evidence: Evidence, speaking: Interval) -> Dropped:
    """When an interval of the agent ended, and by which event: exactly, where the listener cut it
    off; else with the last audio in it."""
    end = speaking.end_ms
    begin = end - evidence.settings.vad.frame_ms
    cuts = (each for each in evidence.dropped if begin <= each.at_ms <= end)
    return next(cuts, None) or Dropped(evidence.heard((begin + end) / 2), end)


def _unheard(evidence: Evidence, cut: InterruptionRow, sound: TurnSound) -> Iterator[Value]:
    """How much of the answer nobody heard, and how far off the client's own account of it is; not
    where nobody tells of the interruption, so that nothing tells when the playing stopped."""
    if cut.detected_ns is None and cut.acted_ns is None and evidence.is_timed:
        return
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
    stops = [each.at_ms for each in evidence.dropped if piece.at_ms <= each.at_ms < end]
    return max(0.0, min([end, *stops]) - piece.played_ms)


def _agent_interrupts(turns: list[TurnSound]) -> Iterator[Value]:
    """How often the agent began while the user still spoke."""
    spoken = [each for each in turns if each.user_off is not None and each.agent_on is not None]
    if not spoken:
        return
    over = [each for each in spoken if (each.agent_on or 0.0) < (each.user_off or 0.0)]
    seqs = spoken[0].turn.first_seq, spoken[-1].turn.last_seq
    yield Value("agent_interrupts", len(over), *seqs, None, _HEARD)
