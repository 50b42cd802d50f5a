"""Which speech belongs to which turn: the acoustic ends of turns, found among the intervals.

The user's part of a turn are the intervals that began after the turn before it and before the
agent was heard to answer; where it was not, before the provider heard the user stop. The answer
begins with the first interval of the agent at or after the turn's first audio came. An answer that
begins before the user has ended has a negative latency.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from recorder.audio.speech import Interval
from recorder.metrics.evidence import Arrival, Evidence
from recorder.metrics.values import over
from recorder.projections.rows import TurnRow

_NS = 1e6
_EDGE_MS = 10.0  # boundaries are those of frames
_ONSET_MS = 1_500.0  # a provider hears speech begin at most so much later


class TurnSound(NamedTuple):
    """The sounds of one turn, in ms. None: no such sound. `first` is the first audio of the agent
    that is not silent. `seqs`: the events of the turn's moments by name (see `Models`), and those
    with the audio of `user_on`, `user_off` and `agent_on`."""

    turn: TurnRow
    user: Sequence[Interval]
    agent_on: float | None
    first: Arrival | None
    pieces: Sequence[Arrival]
    seqs: Mapping[str, int]

    @property
    def user_on(self) -> float | None:
        return self.user[0].start_ms if self.user else None

    @property
    def user_off(self) -> float | None:
        return self.user[-1].end_ms if self.user else None

    def between(self, one: str, other: str) -> tuple[int, int]:
        """The events of two of `seqs`, in order."""
        return over(self.seqs[one], self.seqs[other])


def turn_sounds(evidence: Evidence) -> list[TurnSound]:
    """The sounds of all turns, in order."""
    found: list[TurnSound] = []
    after = 0.0
    turns = evidence.models.turns
    for index, turn in enumerate(turns):
        following = turns[index + 1] if index + 1 < len(turns) else None
        pieces = _pieces(evidence, turn)
        agent_on = _onset(evidence, pieces)
        user = _user(evidence, turn, following, after, agent_on)
        first = next((piece for piece in pieces if piece.voiced_ms is not None), None)
        seqs = _seqs(evidence, turn, user, agent_on)
        found.append(TurnSound(turn, user, agent_on, first, pieces, seqs))
        after = user[-1].end_ms if user else after
    return found


def resumed(evidence: Evidence, sound: TurnSound, result_ms: float) -> tuple[float, int] | None:
    """When the agent was first heard to say something new after a result of a tool, and the event
    with that sound. What it was saying when the result came (a filler) is not new, however long it
    goes on: by the provider's word, since where sound comes as it is made nothing else tells."""
    after = result_ms
    for each in evidence.models.responses:
        if each.started_ns is None or each.last_audio_ns is None:
            continue
        if each.started_ns / _NS <= result_ms:
            ended = each.last_audio_ns if each.ended_ns is None else each.ended_ns
            after = max(after, ended / _NS)
    for piece in sound.pieces:
        if piece.at_ms >= after and piece.played_ms is not None and piece.voiced_ms is not None:
            return piece.played_ms + piece.voiced_ms, piece.seq
    return None


def _seqs(
    evidence: Evidence, turn: TurnRow, user: Sequence[Interval], agent_on: float | None
) -> dict[str, int]:
    """The events of a turn's moments. A boundary of speech lies in its first or last frame."""
    seqs = dict(evidence.models.seqs["turn", turn.turn])
    inside = evidence.settings.vad.frame_ms / 2
    if user:
        seqs["user_on"] = evidence.said(user[0].start_ms + inside)
        seqs["user_off"] = evidence.said(user[-1].end_ms - inside)
    if agent_on is not None:
        seqs["agent_on"] = evidence.heard(agent_on)
    return seqs


def _pieces(evidence: Evidence, turn: TurnRow) -> list[Arrival]:
    """The audio of a turn's answers."""
    if turn.first_audio_ns is None or turn.last_audio_ns is None:
        return []
    begin, end = turn.first_audio_ns / _NS, turn.last_audio_ns / _NS
    first = bisect_left(evidence.arrivals, begin, key=_came)
    return list(evidence.arrivals[first : bisect_right(evidence.arrivals, end, key=_came)])


def _came(piece: Arrival) -> float:
    return piece.at_ms


def _onset(evidence: Evidence, pieces: Sequence[Arrival]) -> float | None:
    """When the listener first heard sound of these pieces."""
    heard = [piece for piece in pieces if piece.played_ms is not None]
    if not heard:
        return None
    begin = heard[0].played_ms or 0.0
    end = (heard[-1].played_ms or 0.0) + heard[-1].ms
    for interval in evidence.agent_speech:
        if interval.end_ms > begin and interval.start_ms < end:
            return max(interval.start_ms, begin)
    return None


def _user(
    evidence: Evidence,
    turn: TurnRow,
    following: TurnRow | None,
    after: float,
    agent_on: float | None,
) -> list[Interval]:
    if turn.origin != "speech":
        return []
    if turn.user_started_ns is None:  # the client ended the input, and nobody told when it began
        handed = (turn.committed_ns or 0) / _NS
        return [each for each in evidence.user_speech if after <= each.start_ms < handed]
    began = turn.user_started_ns / _NS
    limit = evidence.end_ms
    if agent_on is not None:
        limit = max(agent_on, began)
    elif following is not None and following.user_started_ns is not None:
        limit = following.user_started_ns / _NS - _EDGE_MS
        if turn.user_stopped_ns is not None:  # what began later is what was then heard to begin
            limit = min(limit, turn.user_stopped_ns / _NS)
    return [
        each
        for each in evidence.user_speech
        if each.start_ms >= max(after, began - _ONSET_MS) and each.start_ms < limit
    ]
