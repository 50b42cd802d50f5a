"""The weight of a recorded conversation: who spoke how long, from its read models."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from recorder.pricing.conversation import Assumptions, Conversation, Turn
from recorder.projections.rows import Models, TranscriptRow

_ZERO = Decimal(0)
_NS = Decimal(1_000_000_000)


class Heard(NamedTuple):
    """A conversation as it was, and how many of its utterances have a measured length: that of the
    others comes from their words."""

    talk: Conversation
    utterances: int
    measured: int


class _Utterance(NamedTuple):
    is_user: bool
    seconds: Decimal
    chars: Decimal
    is_measured: bool
    seq: int


def heard(models: Models, seconds: Decimal, assumed: Assumptions) -> Heard:
    """The conversation of a session that lasted so many seconds. A turn is what the user says
    until the agent answers, and the answer; what the agent says first is a turn of its own."""
    said = list(_utterances(models, assumed))
    turns: list[Turn] = []
    begun: list[int] = []
    was_user = False
    for each in said:
        if not turns or (each.is_user and not was_user):
            turns.append(Turn(_ZERO, _ZERO, _ZERO, _ZERO))
            begun.append(each.seq)
        turns[-1] = _with(turns[-1], each)
        was_user = each.is_user
    for call in models.tool_calls:
        at = max((n for n, seq in enumerate(begun) if seq <= call.first_seq), default=0)
        if turns:
            turns[at] = turns[at]._replace(tool_calls=turns[at].tool_calls + 1)
    measured = sum(each.is_measured for each in said)
    return Heard(Conversation(tuple(turns), seconds), len(said), measured)


def _with(turn: Turn, said: _Utterance) -> Turn:
    if said.is_user:
        return turn._replace(
            user_s=turn.user_s + said.seconds, user_chars=turn.user_chars + said.chars
        )
    return turn._replace(
        agent_s=turn.agent_s + said.seconds, agent_chars=turn.agent_chars + said.chars
    )


def _utterances(models: Models, assumed: Assumptions) -> Iterator[_Utterance]:
    """What was said, in order: spoken words of each side where there are any, else written ones."""
    spoken = {row.role for row in models.transcripts if row.via == "speech"}
    lengths = _Lengths(models)
    for row in models.transcripts:
        if row.role not in ("user", "assistant") or not row.text.strip():
            continue
        if row.via != "speech" and row.role in spoken:
            continue
        chars = Decimal(len(row.text))
        known = lengths.of(row)
        seconds = chars / assumed.chars_per_s if known is None else known
        yield _Utterance(row.role == "user", seconds, chars, known is not None, row.first_seq)


class _Lengths:
    """How long utterances lasted, where something tells it; each length is given once."""

    def __init__(self, models: Models) -> None:
        self._users = {
            turn.turn: Decimal(turn.user_stopped_ns - turn.user_started_ns) / _NS
            for turn in models.turns
            if turn.user_started_ns is not None and turn.user_stopped_ns is not None
        }
        self._answers = {
            response.response: Decimal(response.ended_ns - response.started_ns) / _NS
            for response in models.responses
            if response.started_ns is not None and response.ended_ns is not None
        }
        self._given: set[tuple[str, object]] = set()

    def of(self, row: TranscriptRow) -> Decimal | None:
        """Seconds: as the provider places the words, else as it said that speech began and ended.
        A later utterance of the same speech is part of it, and adds nothing."""
        if row.start_ms is not None and row.end_ms is not None:
            return max(_ZERO, Decimal(str(row.end_ms)) - Decimal(str(row.start_ms))) / 1000
        is_user = row.role == "user"
        key = ("user", row.turn) if is_user else ("assistant", row.response)
        known = self._users.get(row.turn) if is_user else self._answers.get(row.response or "")
        if known is None or known < 0:
            return None
        if key in self._given:
            return _ZERO
        self._given.add(key)
        return known
