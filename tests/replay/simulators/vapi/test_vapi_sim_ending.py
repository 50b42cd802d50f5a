"""Every way in which a call at the simulated Vapi ends."""

from __future__ import annotations

import pytest
from vapi_sim_story import ASSISTANT, reason, spoken
from vapi_world import HOST, S, World

from recorder.trial.speaker import Heard
from recorder.trial.steps import AwaitReply, Speak, Step
from replay.simulators.vapi import Options


def test_the_client_closes() -> None:
    world = World()
    call = world.create(assistant=ASSISTANT)
    world.speak(call, [AwaitReply()])
    assert reason(world, call) == "customer-ended-call"


def test_nobody_sends_audio() -> None:
    world = World()
    call = world.create(assistant={**ASSISTANT, "customerJoinTimeoutSeconds": 4})
    channel = world.open(f"/{call['id']}/transport")
    world.wait(4.1)
    assert world.closes[channel].code == 1000
    missed = "call.in-progress.error-assistant-did-not-receive-customer-audio"
    assert world.texts(channel)[-1] == {
        "type": "status-update",
        "status": "ended",
        "endedReason": missed,
    }
    assert reason(world, call) == missed


def test_nobody_joins() -> None:
    world = World()
    call = world.create(assistant=ASSISTANT)
    world.wait(16)
    document = world.rest("GET", f"/call/{call['id']}").json
    assert document["status"] == "queued"
    world.wait(4)
    document = world.rest("GET", f"/call/{call['id']}").json
    assert document["status"] == "ended"
    assert "startedAt" not in document
    assert document["cost"] == 0
    assert "recordingUrl" not in document


def test_both_are_silent_for_too_long() -> None:
    world = World()
    call = world.create(assistant={**ASSISTANT, "silenceTimeoutSeconds": 10})
    channel = world.open(f"/{call['id']}/transport")
    for _ in range(20):
        world.send(channel, "ws.binary", bytes(32_000))
        world.wait(1)
    assert reason(world, call) == "silence-timed-out"
    ended = next(one for one in world.frames[channel] if one.kind == "ws.close").at
    last = world.audio(channel)[-1].at
    assert 10 * S <= ended - last <= 10.1 * S


def test_the_call_reaches_its_longest_duration() -> None:
    world = World(Options(transcripts=("A.", "B.", "C.")))
    call = world.create(assistant={**ASSISTANT, "maxDurationSeconds": 10})
    turn: list[Step] = [Speak(spoken("Hello there my friend")), AwaitReply()]
    steps = [AwaitReply(), *turn * 3]
    channel, speaker = world.speak(call, steps)
    assert speaker.failed == "the call has ended: exceeded-max-duration"
    assert reason(world, call) == "exceeded-max-duration"
    document = world.rest("GET", f"/call/{call['id']}").json
    assert document["costs"][3]["minutes"] == round(10_000 / 60_000, 4)
    assert world.closes[channel].code == 1000


def test_the_assistant_says_its_last_phrase() -> None:
    world = World(Options(transcripts=("Done.",), replies=("Thank you and Goodbye now.",)))
    call = world.create(assistant={**ASSISTANT, "endCallPhrases": ["goodbye"]})
    _, speaker = world.speak(call, [AwaitReply(), Speak(spoken("Done")), AwaitReply()])
    assert speaker.heard[-1] == Heard("Thank you and Goodbye now.")
    assert reason(world, call) == "assistant-said-end-call-phrase"


def test_the_assistant_may_end_the_call_with_a_tool() -> None:
    model = {**ASSISTANT["model"], "tools": [{"type": "endCall"}]}
    world = World(Options(transcripts=("Goodbye.",)))
    settings = {**ASSISTANT, "model": model, "endCallMessage": "Take care."}
    call = world.create(assistant=settings)
    steps: list[Step] = [AwaitReply(), Speak(spoken("Goodbye")), AwaitReply(), AwaitReply()]
    _, speaker = world.speak(call, steps)
    assert speaker.heard[-1] == Heard("Take care.")
    assert reason(world, call) == "assistant-ended-call"


@pytest.mark.parametrize("through", ["socket", "control", "delete"])
def test_the_call_is_ended_from_outside(through: str) -> None:
    world = World()
    call = world.create(assistant=ASSISTANT)
    channel = world.open(f"/{call['id']}/transport")
    world.send(channel, "ws.binary", bytes(640))
    world.wait(1)
    if through == "socket":
        world.send(channel, "ws.text", b'{"type":"end-call"}')
    elif through == "control":
        done = world.rest("POST", f"/{call['id']}/control", {"type": "end-call"}, headers=(HOST,))
        assert (done.status, done.body, done.headers["connection"]) == (200, b"", "close")
    else:
        assert world.rest("DELETE", f"/call/{call['id']}").status == 200
    assert world.closes[channel].code == 1000
    wanted = "manually-canceled" if through == "delete" else "hangup-task"
    assert reason(world, call).endswith(wanted)
