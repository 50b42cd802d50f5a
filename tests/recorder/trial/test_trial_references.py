"""Which words of a scenario belong to which turn of a tape, and the word error rates of that."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tapes import Script, Take, record

from recorder import derive
from recorder.store import open_store


def note(script: Script, **facts: Any) -> Script:
    """The caller comes to a turn of its scenario."""
    body = json.dumps({"mode": "respond", "ms": 500, **facts}).encode()
    script.takes.append(Take(script.at_ms, 1, "recorder", "note", "trial.turn", body))
    return script.wait(10)


def heard(script: Script, item: str, words: str) -> Script:
    """The provider hears the user."""
    script.provider("input_audio_buffer.speech_started", item_id=item).wait(400)
    script.provider("input_audio_buffer.speech_stopped", item_id=item).wait(10)
    done = "conversation.item.input_audio_transcription.completed"
    return script.provider(done, item_id=item, transcript=words).wait(10)


def answered(script: Script, name: str) -> Script:
    script.provider("response.created", response={"id": name}).wait(50)
    done = {"id": name, "status": "completed"}
    return script.provider("response.done", response=done).wait(50)


def rates(script: Script) -> dict[int | None, float]:
    store = open_store("memory:", create=True)
    record(store, script.close().takes)
    derive.refresh(store)
    return {row.turn: row.value for row in store.models("metric") if row.metric == "wer"}


def test_each_turn_is_judged_by_its_own_words() -> None:
    script = Script().open()
    heard(note(script, text="Book a table"), "item_a", "Book the table.")
    answered(script, "resp_a")
    heard(note(script, text="For two, please"), "item_b", "for two please")
    answered(script, "resp_b")
    assert rates(script) == pytest.approx({1: 1 / 3, 2: 0}, abs=1e-6)


def test_what_is_said_before_the_answer_goes_on_with_the_turn() -> None:
    script = Script().open()
    heard(note(script, text="Book a table"), "item_a", "Book a table")
    script.provider("input_audio_buffer.speech_started", item_id="item_b")
    note(script, text="no, two")
    script.provider("input_audio_buffer.speech_stopped", item_id="item_b")
    assert rates(answered(script, "resp_a")) == pytest.approx({1: 2 / 5})


@pytest.mark.parametrize("facts", [{"text": "Uh-huh", "mode": "ignore"}, {}])
def test_what_was_to_be_ignored_or_is_not_noted_has_no_rate(facts: dict[str, Any]) -> None:
    script = Script().open()
    heard(note(script, **facts), "item_a", "Uh-huh")
    assert rates(answered(script, "resp_a")) == {}


def test_what_was_heard_as_two_turns_has_no_rate() -> None:
    script = Script().open()
    answered(heard(note(script, text="Book. A table"), "item_a", "Book."), "resp_a")
    assert rates(answered(heard(script, "item_b", "A table."), "resp_b")) == {}
