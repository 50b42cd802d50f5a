"""What single values do at the edges."""

from __future__ import annotations

import numpy as np
import pytest
from golden import answered
from hypothesis import given, settings
from hypothesis import strategies as st
from tapes import Take, conversation, record, tone
from thoroughness import examples
from worked import appends, bursts, delta, frames, hook, joined, openai_turn, silence, text

from recorder import derive
from recorder.audio.speech import Interval, Vad, first_voiced_ms, speech
from recorder.metrics.transcription import _wer
from recorder.store import open_store

MARKS = st.lists(st.tuples(st.integers(30, 120), st.integers(6, 150)), min_size=1, max_size=5)


@settings(max_examples=examples(50), deadline=None)
@given(MARKS)
def test_bursts_are_found_where_they_are(steps: list[tuple[int, int]]) -> None:
    marks, at = [], 0.0
    for gap, length in steps:
        begin = at + gap * 10
        at = begin + length * 10
        marks.append((begin, at))
    lane = bursts(*marks, total_ms=at + 500)
    assert speech(lane, 16_000, Vad()) == [Interval(begin, end) for begin, end in marks]


def test_speech_goes_on_below_the_level_at_which_it_began() -> None:
    lane = np.concatenate([bursts((0, 200), total_ms=200), bursts((0, 300), total_ms=300) // 80])
    loud = lane.astype(np.int16)
    (found,) = speech(loud, 16_000, Vad(open_dbfs=-50.0, hysteresis_db=6.0))
    assert found == Interval(0, 500)
    assert speech(loud, 16_000, Vad(open_dbfs=-45.0, hysteresis_db=0.0)) == [Interval(0, 200)]


@pytest.mark.parametrize("ms", [0, 40])
def test_what_is_short_or_silent_is_no_speech(ms: int) -> None:
    lane = bursts((100, 100 + ms), total_ms=600)
    assert speech(lane, 16_000, Vad()) == []
    assert (first_voiced_ms(lane, 16_000, -70.0) is None) == (ms == 0)


def test_a_tape_without_times_has_no_time() -> None:
    store = open_store("memory:", create=True)
    record(store, [take._replace(at_ms=0.0) for take in openai_turn()])
    derive.refresh(store)
    assert not [row for row in store.models("metric") if row.unit == "ms"]
    (turn, *_) = store.models("turn")
    assert (turn.user_started_ns, turn.first_audio_ns, turn.ended_ns) == (None, None, None)


def test_a_turn_that_nobody_answered_is_missed_or_censored() -> None:
    quiet = [take for take in openai_turn() if b"response." not in take.body and take.at_ms < 4500]
    for end_ms, name in ((4_500.0, "turns_censored"), (9_000.0, "turns_missed")):
        store = open_store("memory:", create=True)
        record(store, [*quiet, Take(end_ms, 1, "provider", "ws.ping", "", b"")])
        derive.refresh(store)
        found = {row.metric: row.value for row in store.models("metric")}
        assert found[name] == 1
        assert found["turns_answered"] == 0
        assert ("response_rate" in found) == (name == "turns_missed")


def test_what_is_said_after_a_turn_without_an_answer_is_of_the_next_one() -> None:
    # The user speaks from 1000 to 2000 and again from 2700, which is heard 200 ms late.
    microphone = silence(1000) + tone(1000) + silence(700) + tone(1000) + silence(1500)
    heard = ((1200, "started"), (2500, "stopped"), (2900, "started"), (4200, "stopped"))
    takes = [*openai_turn()[:1], *appends(0, microphone), delta(4500, tone(500), "resp_2")]
    takes += [text(at, "provider", f"input_audio_buffer.speech_{edge}") for at, edge in heard]
    for at, name in ((2510, "resp_1"), (4210, "resp_2")):
        takes.append(text(at, "provider", "response.created", response={"id": name}))
    store = open_store("memory:", create=True)
    record(store, sorted(takes, key=lambda take: take.at_ms))
    derive.refresh(store)
    found = {(row.metric, row.turn): row.value for row in store.models("metric")}
    assert (found["eos_delay_ms", 1], found["eos_delay_ms", 2]) == (500, 500)
    assert (found["onset_delay_ms", 1], found["onset_delay_ms", 2]) == (200, 200)
    assert ("v2v_ms", 1) not in found
    assert found["v2v_ms", 2] == 800


def test_a_tool_adds_three_parts_to_the_wait() -> None:
    store = open_store("memory:", create=True)
    record(store, conversation())
    derive.refresh(store)
    found = {row.metric: row.value for row in store.models("metric")}
    assert found["tool_exec_ms"] == 40
    assert (found["tool_calls"], found["tool_duplicates"], found["tool_failures"]) == (1, 0, 0)
    assert "tool_resume_ms" not in found, "nothing was said after it"


def test_a_filler_that_goes_on_after_a_result_is_not_the_answer() -> None:
    # The filler sounds from 2700 to 3500, the result comes at 2900, the answer sounds at 4000.
    call = {"id": "call_1", "function": {"name": "look", "arguments": {}}}
    told = (("user", 1200, 2300), ("assistant", 2650, 3520), ("assistant", 3960, 5020))
    user, agent = (
        bursts((1000, 2000), total_ms=5500),
        bursts((2700, 3500), (4000, 5000), total_ms=5500),
    )
    takes = [*joined(), text(15, "provider", "status-update", status="in-progress")]
    takes += [*frames("client", user.tobytes()), *frames("provider", agent.tobytes())]
    for role, *edges in told:
        for at, status in zip(edges, ("started", "stopped"), strict=True):
            takes.append(text(at, "provider", "speech-update", role=role, status=status))
    takes += hook(2600, 9, "tool-calls", toolCallList=[call])
    takes += answered(2900, 9, [{"toolCallId": "call_1", "result": "rain"}])
    store = open_store("memory:", create=True)
    record(store, sorted(takes, key=lambda take: take.at_ms), provider="vapi")
    derive.refresh(store)
    found = {row.metric: row for row in store.models("metric")}
    assert found["v2v_ms"].value == 700
    assert found["tool_resume_ms"].value == pytest.approx(1100, abs=1)
    assert found["first_substantive_ms"].value == pytest.approx(2000, abs=1)


def test_words_count_without_case_and_marks() -> None:
    assert _wer("Book a table, please.", "book a table please") == 0
    assert _wer("Book a table", "Book the table") == pytest.approx(1 / 3)


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 50_000))
def test_when_a_conversation_is_held_changes_no_value(later: int) -> None:
    takes = openai_turn()
    opened, rest = takes[0], takes[1:]
    assert _values([opened, *_moved(rest, later * 10)]) == pytest.approx(_values(takes))


def _moved(takes: list[Take], ms: float) -> list[Take]:
    return [take._replace(at_ms=take.at_ms + ms) for take in takes]


def _values(takes: list[Take]) -> dict[tuple[str, int | None], float]:
    """The values that rest on speech."""
    store = open_store("memory:", create=True)
    record(store, takes)
    derive.refresh(store)
    wanted = ("v2v_ms", "arrival_ms", "eos_delay_ms", "lead_silence_ms", "event_ms", "yield_ms")
    return {
        (each.metric, each.turn): each.value
        for each in store.models("metric")
        if each.metric in wanted
    }
