"""B. Response: how long the user waits. The headline is `v2v_ms`, sound to sound on one clock."""

from __future__ import annotations

from collections.abc import Iterator

from recorder.metrics.acoustics import TurnSound, resumed
from recorder.metrics.evidence import Evidence
from recorder.metrics.values import Value, over

_NS = 1e6
_HEARD = ("vad", "prebuffer_ms")


def measure(evidence: Evidence, turns: list[TurnSound]) -> Iterator[Value]:
    """The latencies of each turn, by every definition there is evidence for."""
    for each in turns:
        yield from _acoustic(each)
        yield from _told(each)
        yield from _stamped(each)
        yield from _substantive(evidence, each)
    yield from _classes(evidence, turns)


def _acoustic(sound: TurnSound) -> Iterator[Value]:
    turn, off, first = sound.turn, sound.user_off, sound.first
    if first is not None and sound.agent_on is not None:
        lead = sound.agent_on - sound.pieces[0].at_ms
        seqs = sound.pieces[0].seq, first.seq
        yield Value("lead_silence_ms", lead, *seqs, turn.turn, _HEARD)
    if off is None or first is None:
        return
    if sound.agent_on is not None:
        seqs = sound.between("user_off", "agent_on")
        yield Value("v2v_ms", sound.agent_on - off, *seqs, turn.turn, _HEARD)
    seqs = over(sound.seqs["user_off"], first.seq)
    yield Value("arrival_ms", first.at_ms - off, *seqs, turn.turn, ("vad", "voiced_dbfs"))


def _told(sound: TurnSound) -> Iterator[Value]:
    """From what the provider said to the first audio, and to the first words."""
    turn = sound.turn
    starts = {
        "event_ms": "user_stopped",
        "event_committed_ms": "committed",
        "event_asked_ms": "asked",
        "event_created_ms": "response",
    }
    if turn.user_stopped_stamp_ms is None:
        for name, start in starts.items():
            yield from _since(name, sound, start, "first_audio")
    begun = ("committed", "user_stopped", "asked")
    known = [name for name in begun if getattr(turn, f"{name}_ns") is not None]
    if known:
        yield from _since("first_token_ms", sound, known[0], "first_text")


def _since(metric: str, sound: TurnSound, start: str, end: str) -> Iterator[Value]:
    """From one moment of a turn to a later one."""
    began, ended = getattr(sound.turn, f"{start}_ns"), getattr(sound.turn, f"{end}_ns")
    if began is not None and ended is not None and ended >= began:
        value = (ended - began) / _NS
        yield Value(metric, value, *sound.between(start, end), sound.turn.turn)


def _stamped(sound: TurnSound) -> Iterator[Value]:
    """Between two stamps of the provider's own clock."""
    turn = sound.turn
    start, end = turn.user_stopped_stamp_ms, turn.response_stamp_ms
    if start is not None and end is not None:
        seqs = sound.between("user_stopped_stamp", "response_stamp")
        yield Value("event_ms", end - start, *seqs, turn.turn)


def _substantive(evidence: Evidence, sound: TurnSound) -> Iterator[Value]:
    """The first new speech after the last result of a tool; without tools it is `v2v_ms`."""
    turn, off = sound.turn, sound.user_off
    calls = [call for call in evidence.models.tool_calls if call.turn == turn.turn]
    answered = [call.answered_ns / _NS for call in calls if call.answered_ns is not None]
    if off is None or not answered or len(answered) < len(calls):
        return
    heard = resumed(evidence, sound, max(answered))
    if heard is not None:
        seqs = over(sound.seqs["user_off"], heard[1])
        needs = (*_HEARD, "voiced_dbfs")
        yield Value("first_substantive_ms", heard[0] - off, *seqs, turn.turn, needs, 2)


def _classes(evidence: Evidence, turns: list[TurnSound]) -> Iterator[Value]:
    """How many spoken turns were answered in time, missed, or cut off by the end of the tape."""
    spoken = [each for each in turns if each.user_off is not None]
    if not spoken:
        return
    deadline = evidence.settings.deadline_ms
    answered = missed = censored = late = 0
    for each in spoken:
        waited = (evidence.end_ms if each.agent_on is None else each.agent_on) - (
            each.user_off or 0.0
        )
        if each.agent_on is not None and waited <= deadline:
            answered += 1
        elif each.agent_on is not None:
            late += 1
        elif waited < deadline:
            censored += 1
        else:
            missed += 1
    seqs = spoken[0].turn.first_seq, spoken[-1].turn.last_seq
    needs = (*_HEARD, "deadline_ms")
    counts = {"answered": answered, "late": late, "missed": missed, "censored": censored}
    for name, count in counts.items():
        yield Value(f"turns_{name}", count, *seqs, None, needs)
    if answered + missed + late:
        rate = answered / (answered + missed + late)
        yield Value("response_rate", rate, *seqs, None, needs)
