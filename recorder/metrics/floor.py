"""F. Floor: who speaks when, and for how long nobody or both do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from recorder.audio.speech import Interval
from recorder.metrics.acoustics import TurnSound
from recorder.metrics.evidence import Evidence
from recorder.metrics.values import Value

_HEARD = ("vad", "prebuffer_ms")


def measure(evidence: Evidence, turns: list[TurnSound]) -> Iterator[Value]:
    """How many turns there are, shares of the time from the first sound to the last, and how fast
    the agent speaks."""
    told = evidence.models.outline
    yield Value("turns", len(turns), told.first_seq, told.last_seq, version=2)
    user, agent = evidence.user_speech, evidence.agent_speech
    if not user and not agent:
        return
    seqs = 1, _last_seq(evidence)
    user_ms, agent_ms = _total(user), _total(agent)
    both = _total(_overlap(user, agent))
    begin = min(each.start_ms for each in (*user, *agent))
    end = max(each.end_ms for each in (*user, *agent))
    span = end - begin
    silence = span - user_ms - agent_ms + both
    for name, ms in (
        ("user_speech_ms", user_ms),
        ("agent_speech_ms", agent_ms),
        ("overlap_ms", both),
        ("silence_ms", silence),
    ):
        yield Value(name, ms, *seqs, None, _HEARD)
    yield Value("talk_ratio", agent_ms / (agent_ms + user_ms), *seqs, None, _HEARD)
    gaps = [gap for gap in _gaps(user, agent) if gap > evidence.settings.dead_air_ms]
    needs = (*_HEARD, "dead_air_ms")
    yield Value("dead_air_ms", sum(gaps), *seqs, None, needs)
    for each in turns:
        yield from _pace(evidence, each)


def _pace(evidence: Evidence, sound: TurnSound) -> Iterator[Value]:
    """Words a minute of sound, of an answer that was heard whole."""
    turn = sound.turn
    if turn.was_interrupted or not sound.pieces or not turn.agent_text:
        return
    heard = [piece for piece in sound.pieces if piece.played_ms is not None]
    if not heard:
        return
    begin = heard[0].played_ms or 0.0
    end = (heard[-1].played_ms or 0.0) + heard[-1].ms
    voiced = _total(_overlap(evidence.agent_speech, [Interval(begin, end)]))
    words = len(turn.agent_text.split())
    if voiced:
        seqs = turn.first_seq, turn.last_seq
        yield Value("wpm", words * 60_000 / voiced, *seqs, turn.turn, _HEARD)
        yield Value("reply_words", words, *seqs, turn.turn)


def _last_seq(evidence: Evidence) -> int:
    return max([1, *(one.seq for one in evidence.arrivals), *(one.seq for one in evidence.sent)])


def _total(intervals: Sequence[Interval]) -> float:
    return sum(each.end_ms - each.start_ms for each in intervals)


def _overlap(one: Sequence[Interval], other: Sequence[Interval]) -> list[Interval]:
    """Where both speak; either is in order and without overlap in itself."""
    found, at = [], 0
    for each in one:
        while at < len(other) and other[at].end_ms <= each.start_ms:
            at += 1
        ahead = at
        while ahead < len(other) and other[ahead].start_ms < each.end_ms:
            start = max(each.start_ms, other[ahead].start_ms)
            found.append(Interval(start, min(each.end_ms, other[ahead].end_ms)))
            ahead += 1
    return found


def _gaps(user: Sequence[Interval], agent: Sequence[Interval]) -> Iterator[float]:
    """The silences between any two sounds, in ms."""
    end: float | None = None
    for each in sorted((*user, *agent)):
        if end is not None and each.start_ms > end:
            yield each.start_ms - end
        end = each.end_ms if end is None else max(end, each.end_ms)
