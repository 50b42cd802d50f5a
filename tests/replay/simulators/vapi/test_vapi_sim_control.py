"""What is said to a call at the simulated Vapi beside its audio, and who else may listen."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from vapi_sim_story import ASSISTANT, reason, spoken
from vapi_world import HOST, World

from recorder.audio import pcm
from recorder.trial.speaker import Heard
from recorder.trial.steps import AwaitReply, Say, Speak
from replay.simulators.vapi import Options


def test_words_can_be_put_into_the_assistant_s_mouth() -> None:
    world = World()
    call = world.create(assistant={"firstMessageMode": "assistant-waits-for-user"})
    channel = world.open(f"/{call['id']}/transport")
    world.send(channel, "ws.binary", bytes(640))
    world.wait(1)
    assert world.audio(channel) == []
    said = {"type": "say", "content": "One last thing.", "endCallAfterSpoken": True}
    control = f"/{call['id']}/control"
    assert world.rest("POST", control, said, headers=(HOST,)).status == 200
    world.wait(3)
    assert len(world.audio(channel)) > 20
    assert reason(world, call) == "assistant-ended-call-after-message-spoken"
    refused = world.rest("POST", control, {"type": "end-call"}, headers=(HOST,))
    assert refused.status == 404


def test_a_typed_message_is_answered() -> None:
    world = World(Options(replies=("Noted.",)))
    call = world.create(assistant={"firstMessage": "Hello."})
    _, speaker = world.speak(call, [AwaitReply(), Say("Remember the milk."), AwaitReply()])
    assert speaker.heard[-1] == Heard("Noted.")
    world.wait(5)
    document = world.rest("GET", f"/call/{call['id']}").json
    assert [one["message"] for one in document["messages"]] == [
        "Hello.",
        "Remember the milk.",
        "Noted.",
    ]


@pytest.mark.parametrize(
    "message",
    [
        {"type": "transfer"},
        {"type": "say"},
        {"type": "control", "control": "explode"},
        {"type": "add-message"},
        [],
    ],
)
def test_useless_control_messages_are_refused(message: Any) -> None:
    world = World()
    call = world.create(assistant=ASSISTANT)
    channel = world.open(f"/{call['id']}/transport")
    world.wait(0.2)
    control = f"/{call['id']}/control"
    assert world.rest("POST", control, message, headers=(HOST,)).status == 400
    world.send(channel, "ws.text", json.dumps(message).encode())
    world.send(channel, "ws.text", b"not json")
    assert channel not in world.closes


def test_muting_silences_one_side() -> None:
    world = World()
    call = world.create(assistant=ASSISTANT)
    channel = world.open(f"/{call['id']}/transport")
    world.wait(1)
    before = len(world.audio(channel))
    assert before > 10
    world.send(channel, "ws.text", b'{"type":"control","control":"mute-assistant"}')
    world.wait(0.5)
    assert len(world.audio(channel)) == before
    world.send(channel, "ws.text", b'{"type":"control","control":"unmute-assistant"}')
    world.wait(0.5)
    assert len(world.audio(channel)) == before + 25
    world.send(channel, "ws.text", b'{"type":"control","control":"mute-customer"}')
    world.send(channel, "ws.binary", spoken("Can you hear me now"))
    world.wait(2)
    assert not any(one.get("role") == "user" for one in world.texts(channel))


def test_short_sounds_do_not_interrupt_a_fixed_first_message() -> None:
    world = World(Options(transcripts=("Wait.",)))
    call = world.create(assistant={"firstMessage": "Hello and welcome to the front desk."})
    channel, _ = world.speak(call, [Speak(spoken("Wait a moment please")), AwaitReply()])
    types = [one["type"] for one in world.texts(channel)]
    assert "user-interrupted" not in types
    finals = [
        one["transcript"] for one in world.texts(channel) if one.get("transcriptType") == "final"
    ]
    assert finals[1] == "Hello and welcome to the front desk."


def test_sockets_nobody_waits_for_are_closed() -> None:
    world = World()
    call = world.create(assistant=ASSISTANT)
    unknown = world.open("/00000000-0000-4000-8000-000000000000/transport")
    first = world.open(f"/{call['id']}/transport")
    second = world.open(f"/{call['id']}/transport")
    assert (world.closes[unknown].code, world.closes[second].code) == (1008, 1008)
    assert first not in world.closes
    elsewhere = world.open("/somewhere/else")
    (answer,) = world.frames[elsewhere]
    assert json.loads(answer.body)["status"] == 404


def test_a_monitor_hears_both_sides() -> None:
    world = World(Options(transcripts=("Hello.",)))
    call = world.create(assistant=ASSISTANT)
    monitor = world.open(f"/{call['id']}/listen")
    channel, _ = world.speak(call, [AwaitReply(), Speak(spoken("Hello there")), AwaitReply()])
    world.wait(0.1)
    stereo = b"".join(one.body for one in world.audio(monitor))
    lanes = pcm.samples(stereo).reshape(-1, 2)
    sent = np.concatenate([pcm.samples(one.body) for one in world.audio(channel)])
    assert np.array_equal(lanes[np.flatnonzero(lanes[:, 1]), 1], sent[np.flatnonzero(sent)])
    assert pcm.rms_dbfs(np.ascontiguousarray(lanes[:, 0])) > -60
    assert world.texts(monitor)[: len(world.texts(channel))] == world.texts(channel)
    assert world.closes[monitor].code == 1000
