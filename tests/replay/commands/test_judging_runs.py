"""Whether a run of a trial did its task."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from tapes import Take, conversation, record

from recorder.store.memory import MemoryStore
from recorder.trial.record import Kept
from recorder.trial.scenario import read_scenario
from replay.commands.judging import Judging

SCENARIO = """schema = 1
id = "hello"
title = "A call"
[agent]
instructions = "Help."
[[turn]]
say = "Hello."
expect = [ { says = "morning" } ]
"""
DIGEST = hashlib.sha256(SCENARIO.encode()).hexdigest()


def judged(takes: Iterable[Take]) -> bool | None:
    store = MemoryStore()
    row = store.session(record(store, takes))
    assert row
    run = {"sha256": DIGEST, "source": None, "file": "hello.toml"}
    turn = {"turn": 1, "seq": 1, "mode": "respond"}
    kept = Kept(row, run, (turn,), {"outcome": "finished"})
    return Judging(store, {DIGEST: read_scenario(SCENARIO, "hello.toml")})(kept)


def with_words(words: bytes) -> list[Take]:
    return [
        each._replace(body=each.body.replace(b"Good morning.", words)) for each in conversation()
    ]


def test_what_is_expected_has_to_be_said() -> None:
    assert judged(with_words(b"Good morning.")) is True
    assert judged(with_words(b"Good night.")) is False


def test_a_task_that_redaction_hides_is_neither_met_nor_missed() -> None:
    assert judged(with_words(b"[redacted]")) is None


def test_an_agent_without_words_has_missed_it() -> None:
    silent = [each for each in conversation() if b"output_audio_transcript" not in each.body]
    assert judged(silent) is False
