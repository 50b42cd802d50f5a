"""The weight of a recorded conversation, from its read models."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from recorder.pricing.conversation import Assumptions, Turn
from recorder.pricing.heard import heard
from recorder.projections.rows import (
    Models,
    OutlineRow,
    ResponseRow,
    ToolCallRow,
    TranscriptRow,
    TurnRow,
)

S = 1_000_000_000
D = Decimal


def words(seq: int, role: str, text: str, turn: int = 1, **facts: Any) -> TranscriptRow:
    blank = TranscriptRow(
        "s", seq, turn, role, "speech", None, None, text, 0, None, None, None, seq, seq
    )
    return blank._replace(**facts)


def models(*transcripts: TranscriptRow, **others: Any) -> Models:
    outline = OutlineRow("s", *(None,) * (len(OutlineRow._fields) - 2), 0)
    return Models(outline, transcripts=list(transcripts), **others)


def turn(number: int, started: int, stopped: int) -> TurnRow:
    times = {"user_started_ns": started, "user_stopped_ns": stopped}
    facts = dict.fromkeys(TurnRow._fields) | {"session": "s", "turn": number} | times
    return TurnRow(**facts)


def response(name: str, started: int, ended: int) -> ResponseRow:
    times = {"started_ns": started, "ended_ns": ended}
    facts = dict.fromkeys(ResponseRow._fields) | {"session": "s", "response": name} | times
    return ResponseRow(**facts)


def call(seq: int) -> ToolCallRow:
    facts = dict.fromkeys(ToolCallRow._fields) | {"session": "s", "first_seq": seq}
    return ToolCallRow(**facts)


def test_words_are_as_long_as_the_report_says() -> None:
    found = heard(
        models(
            words(1, "assistant", "Hello.", start_ms=1000, end_ms=3000),
            words(2, "user", "The weather?", start_ms=4000, end_ms=5500),
            words(3, "user", "In Oslo.", start_ms=5600, end_ms=6100),
            words(4, "assistant", "It rains.", start_ms=7000, end_ms=8000),
        ),
        D(10),
        Assumptions(),
    )
    assert found.talk.turns == (
        Turn(D(0), D(2), D(0), D(6)),
        Turn(D(2), D(1), D(20), D(9)),
    )
    assert found.talk.talk_ratio == D("0.5")
    assert (found.utterances, found.measured) == (4, 4)


def test_else_as_long_as_speech_was_said_to_last() -> None:
    found = heard(
        models(
            words(1, "user", "The", turn=1),
            words(2, "user", "weather?", turn=1),
            words(3, "assistant", "It rains.", response="speech-1"),
            words(4, "assistant", "A lot.", response="speech-1"),
            turns=[turn(1, 2 * S, 4 * S)],
            responses=[response("speech-1", 5 * S, 8 * S)],
        ),
        D(10),
        Assumptions(),
    )
    assert found.talk.turns == (Turn(D(2), D(3), D(11), D(15)),)
    assert found.measured == 4


def test_else_as_long_as_its_characters() -> None:
    found = heard(models(words(1, "user", "x" * 30)), D(10), Assumptions(chars_per_s=D(10)))
    assert found.talk.turns == (Turn(D(3), D(0), D(30), D(0)),)
    assert (found.utterances, found.measured) == (1, 0)


def test_what_was_written_counts_where_nothing_was_spoken() -> None:
    found = heard(
        models(
            words(1, "user", "typed", via="text"),
            words(2, "assistant", "It ", via="text"),
            words(3, "assistant", "It rains."),
            words(4, "system", "Be brief.", via="text"),
            words(5, "assistant", "  "),
        ),
        D(10),
        Assumptions(),
    )
    assert [(each.user_chars, each.agent_chars) for each in found.talk.turns] == [(5, 9)]


def test_functions_belong_to_the_turn_in_which_they_were_called() -> None:
    found = heard(
        models(
            words(1, "user", "One."),
            words(4, "assistant", "1"),
            words(5, "user", "Two."),
            words(9, "assistant", "2"),
            tool_calls=[call(2), call(6), call(7)],
        ),
        D(10),
        Assumptions(),
    )
    assert [each.tool_calls for each in found.talk.turns] == [1, 2]


def test_a_session_without_words_has_no_turns() -> None:
    found = heard(models(tool_calls=[call(2)]), D(10), Assumptions())
    assert found.talk.turns == ()
    assert found.talk.talk_ratio == 0
