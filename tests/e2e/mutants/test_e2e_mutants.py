"""Small applications against their own tapes: the honest ones pass every time, and each of ten
mutants is caught at the step where it goes wrong, in a few lines that name the cause.

VOICE_APP_RUNS is how often the honest one is run (3); beside VOICE_APP_LOAD busy processes (0).
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from harness import Ended, serve
from mutant_calls import hold, record_call
from taping import HERE, Stage, stage
from voice_app import MUTANTS

from recorder.recording import Recording
from recorder.store import open_store

RUNS = int(os.environ.get("VOICE_APP_RUNS", "3"))
LOAD = int(os.environ.get("VOICE_APP_LOAD", "0"))
_APPEND = '"input_audio_buffer.append"'
_STARTED = '"input_audio_buffer.speech_started"'
CAUGHT: dict[str, tuple[str, int, str, tuple[str, ...]]] = {
    # the message that it is about (words in it, and which of them), the verdict, and the cause
    "skips-result": (
        *('"function_call_output"', 0),
        "step {} expected conversation.item.create, got response.create",
        ("expected  call_", "next      send step {} first"),
    ),
    "doubles-result": (
        *('"response.create"', 0),
        "step {} expected response.create, got conversation.item.create",
        ("got       call_", "sent already", "only once"),
    ),
    "wrong-call": (
        *('"function_call_output"', 0),
        "step {} conversation.item.create differs",
        ("at        $.item.call_id", 'got       "call_of_another"'),
    ),
    "wrong-item": (
        *('"conversation.item.truncate"', 0),
        "step {} conversation.item.truncate differs",
        ("at        $.item_id", 'expected  "item_', 'got       "item_'),
    ),
    "ignores-interruption": (
        *('"response.cancel"', 0),
        "the client did not send response.cancel (step {}) within 4 s of its time",
        ("truncate (step ", "did not come in time"),
    ),
    "changes-instructions": (
        *('"session.update"', 0),
        "step {} session.update differs",
        ("at        $.session.instructions", "Be brief.", "Be funny."),
    ),
    "drops-chunk": (
        *(_APPEND, -1),
        "step {} audio differs at 1.",
        ("expected  <pcm16 24 kHz", "got       <pcm16 24 kHz"),
    ),
    "reconnects": (
        *(_STARTED, 1),
        "the client closed (1000) before it got step {} input_audio_buffer.speech_started",
        ("response.cancel",),
    ),
    "hangs": (
        *(_STARTED, 0),
        "step {} input_audio_buffer.speech_started waits for audio that did not come within 4 s",
        ("got       0 bytes",),
    ),
}


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return stage(tmp_path_factory.mktemp("voice-app"))


def verdict(ended: Ended) -> list[str]:
    """The report of a replay, without the greeting."""
    lines = ended.out.splitlines()
    return lines[next(at for at, line in enumerate(lines) if line.startswith("replay ")) :]


@pytest.mark.parametrize("run", range(RUNS))
def test_the_honest_application_passes(tape: Stage, run: int) -> None:
    replay, app = tape.replay(load=LOAD)
    assert replay.code == 0, replay
    assert verdict(replay)[0] == "replay complete"
    assert (app.code, app.out) == (0, "done: 1 replies, 1 interruptions\n")


QUICK = ("wrong-call", "drops-chunk")
TRIED = [each if each in QUICK else pytest.param(each, marks=pytest.mark.slow) for each in MUTANTS]


@pytest.mark.parametrize("mutant", TRIED)
def test_a_mutant_is_caught_at_its_step(tape: Stage, mutant: str) -> None:
    replay, _ = tape.replay(mutant)
    report = verdict(replay)
    assert replay.code == 1, replay
    about, nth, headline, causes = CAUGHT[mutant]
    step = tape.steps(about)[tape.last_sound() if nth < 0 else nth]
    assert report[0].startswith("replay failed: "), report
    assert headline.format(step) in report[0], report
    for cause in causes:
        assert cause.format(step) in "\n".join(report[1:]), report
    assert len(report) < 12
    assert all(len(line) <= 320 for line in report)


# Vapi


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    store = f"sqlite:///{tmp_path_factory.mktemp('answerer') / 'tapes.db'}"
    return store, record_call(store)


@contextmanager
def answering(*words: str) -> Iterator[str]:
    """The URL of the server of the assistant."""
    program = [sys.executable, str(Path(HERE) / "answerer.py"), *words]
    process = subprocess.Popen(program, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        yield process.stdout.readline().split()[1]
    finally:
        process.kill()
        process.wait()


async def replayed(call: tuple[str, str], *words: str) -> tuple[Ended, str | None]:
    """How a replay to a client and the server ended, and what the client had to say."""
    store, session = call
    options = ("--patience", "4", "--no-record")
    with (
        answering(*words) as url,
        serve(store, session, "max", *options, "--webhook-to", url) as service,
    ):
        failed = await hold(service.url)
        return service.ended(), failed


async def test_the_honest_server_passes(call: tuple[str, str]) -> None:
    ended, failed = await replayed(call)
    assert (ended.code, failed) == (0, None), ended
    assert verdict(ended)[0] == "replay complete"


async def test_a_server_that_answers_a_webhook_wrongly_is_caught(call: tuple[str, str]) -> None:
    ended, failed = await replayed(call, "--mutant")
    report = verdict(ended)
    assert ended.code == 1
    with closing(open_store(call[0], create=False, readonly=True)) as store:
        events = list(Recording(store, call[1]).events())
    hooks = (event for event in events if event.kind == "webhook.request")
    asked = next(event for event in hooks if event.type == "tool-calls")
    named = f"the answer to webhook step {asked.seq} tool-calls differs"
    assert report[0] == f"replay failed: {named}"
    lines = "\n".join(report)
    assert "at        $.body.results[0].toolCallId" in lines
    assert 'expected  "call_' in lines
    assert 'got       "the call"' in lines
    assert len(report) < 12
    assert failed
    assert f"1001 replay: {named}" in failed
