"""Turns as text: what is known is told, what is not known is not nought."""

from __future__ import annotations

import json

import pytest
from spoken_call import spoken_call
from tapes import Script, Take, conversation, record

from recorder.recording import find_session
from recorder.report.models import read_models
from recorder.report.text import plain
from recorder.report.turns import Turn, as_json, block, latencies, marks, turns
from recorder.store.memory import MemoryStore


def _turns(takes: list[Take]) -> list[Turn]:
    store = MemoryStore()
    row = find_session(store, record(store, takes))
    return turns(read_models(store, row).tables)


@pytest.fixture(scope="module")
def call() -> list[Turn]:
    return _turns(spoken_call(40))


def test_a_spoken_turn_with_the_parts_of_its_latency(call: list[Turn]) -> None:
    head, user, agent, took = block(call[0], plain, None)
    assert head.startswith("turn 1  speech, events ")
    assert user == "  user   Actually, make that eight o'clock."
    assert agent == "  agent  It is eighteen degrees and sunny in Paris."
    values = call[0].values
    parts = [values[name] for name in ("eos_delay_ms", "event_ms", "lead_silence_ms")]
    assert sum(parts) == pytest.approx(values["v2v_ms"], abs=0.01)
    assert took == (
        f"  took   voice to voice {values['v2v_ms']:.0f} ms = endpoint {parts[0]:.0f}"
        f" + think {parts[1]:.0f} + lead {parts[2]:.0f}, by events {parts[1]:.0f} ms,"
        f" ${call[0].usd:.4f}"
    )


def test_tools_and_interruptions(call: list[Turn]) -> None:
    tool = [line for line in block(call[3], plain, None) if line.startswith("  tool")]
    ms = call[3].values["tool_exec_ms"]
    assert tool == [f'  tool   find_table({{"party":2}}) gave "free" after {ms:.0f} ms']
    (cut,) = [line for line in block(call[4], plain, None) if line.startswith("  cut")]
    assert cut.startswith("  cut    by the client after 1095 ms, of ")
    assert cut.endswith(f"yielded in {call[4].values['yield_ms']:.0f} ms")


def test_lines_are_cut_to_the_width(call: list[Turn]) -> None:
    assert all(len(line) <= 40 for line in list(block(call[3], plain, 40))[1:])


def test_what_is_not_known_is_not_nought() -> None:
    script = Script().open()
    typed = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi."}]}
    (turn,) = _turns(script.client("conversation.item.create", item=typed).close().takes)
    assert list(block(turn, plain, None))[-1] == "  took   latency: no data, cost: no data"
    found = json.loads(as_json(turn))
    assert (found["usd"], found["values"], found["first_audio_ms"]) == (None, {}, None)


def test_a_turn_as_json(call: list[Turn]) -> None:
    found = json.loads(as_json(call[3]))
    assert (found["turn"], found["origin"], found["interrupted"]) == (4, "speech", False)
    assert found["calls"] == [
        {"name": "find_table", "arguments": '{"party":2}', "output": '"free"'}
    ]
    assert found["values"]["v2v_ms"] == call[3].values["v2v_ms"]
    assert found["usd"] == f"{call[3].usd:f}"


def test_latencies_without_parts() -> None:
    assert latencies({"v2v_ms": -120.0}) == ["voice to voice -120 ms"]
    assert latencies({"event_asked_ms": 80.0}) == ["first sound after asking 80 ms"]
    assert latencies({"first_token_ms": 80.0}) == ["first words 80 ms"]
    assert latencies({}) == []


def test_marks_are_where_the_answer_began(call: list[Turn]) -> None:
    found = marks(call)
    assert [mark.at_ns for mark in found] == [turn.row.first_audio_ns for turn in call]
    assert found[0].text.startswith("turn 1: voice to voice ")
    assert [mark.text.partition(":")[0] for mark in marks(_turns(conversation()))] == ["turn 1"]
