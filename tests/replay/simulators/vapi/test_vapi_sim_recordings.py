"""The simulated Vapi against real bodies: which keys stand where.

Runs where `RECORDER_TRAFFIC` names a folder with `vapi/*.json` bodies.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from vapi_world import SERVER, World, tool_answers

from recorder.audio import pcm
from recorder.trial.steps import AwaitReply, Interrupt, Speak, Step
from replay.simulators.common.voice import synthesise
from replay.simulators.vapi import Options
from replay.simulators.vapi.names import SERVER_MESSAGES

FOLDER = os.environ.get("RECORDER_TRAFFIC")
pytestmark = pytest.mark.skipif(not FOLDER, reason="RECORDER_TRAFFIC is not set")

PHONE = {"phoneNumber", "customer", "phoneNumberId", "phoneCallProvider", "phoneCallProviderId"}
PHONE |= {"phoneCallTransport", "phoneCallProviderDetails", "webCallUrl"}
TOOL = {
    "type": "function",
    "async": False,
    "messages": [],
    "server": {"url": SERVER, "secret": "x"},
    "function": {
        "name": "saveName",
        "description": "Save the name",
        "parameters": {"type": "object", "properties": {"name": {"type": "string"}}},
    },
}


def real(name: str) -> Any:
    (path,) = Path(FOLDER or ".").glob(f"vapi/{name}*.json")
    return json.loads(path.read_text())


def spoken(text: str) -> bytes:
    return pcm.to_bytes(synthesise(text))


def keys(value: dict[str, Any]) -> set[str]:
    return set(value) - PHONE


@pytest.fixture(scope="module")
def world() -> World:
    """A call with two turns, a tool and an interruption, all told to the server."""
    transcripts = ("Please save my name, Robin.", "Tell me more.", "Stop.")
    world = World(Options(transcripts=transcripts), tool_answers({"saveName": "saved"}))
    model = {
        "provider": "openai",
        "model": "gpt-4.1",
        "messages": [{"role": "system", "content": "Be kind."}],
        "tools": [TOOL],
    }
    assistant = {
        "name": "Desk",
        "firstMessage": "Hello.",
        "voice": {"provider": "11labs", "voiceId": "x", "model": "y"},
        "model": model,
        "server": {"url": SERVER},
        "serverMessages": list(SERVER_MESSAGES),
    }
    made = world.rest("POST", "/assistant", assistant).json
    call = world.create(assistantId=made["id"], assistantOverrides={"variableValues": {}})
    steps: list[Step] = [
        AwaitReply(),
        Speak(spoken("Please save my name Robin")),
        AwaitReply(),
        Speak(spoken("Tell me more")),
        Interrupt(800, spoken("Stop please")),
        AwaitReply(),
    ]
    _, speaker = world.speak(call, steps)
    assert speaker.failed is None
    world.wait(20)
    return world


def test_a_new_assistant() -> None:
    wanted = real("31")
    fresh = {"id", "orgId", "createdAt", "updatedAt", "isServerUrlSecretSet"}
    body = {key: value for key, value in wanted.items() if key not in fresh}
    made = World().rest("POST", "/assistant", body).json
    assert list(made) == list(wanted)


def test_a_new_call() -> None:
    answer = World()
    assistant = answer.rest("POST", "/assistant", {"firstMessage": "Hello."}).json
    call = answer.create(assistantId=assistant["id"])
    assert [key for key in real("30") if key not in PHONE] == list(call)


@pytest.mark.parametrize("type_", ["status-update", "tool-calls"])
def test_a_message(world: World, type_: str) -> None:
    wanted = real("01" if type_ == "status-update" else "05")["message"]
    hooks = world.of(type_)
    message = hooks[1 if type_ == "status-update" else 0].message
    assert keys(message) - {"assistant"} == keys(wanted) - {"assistant"}
    assert set(message["artifact"]) == set(wanted["artifact"])
    if type_ == "tool-calls":
        mine, theirs = (one["toolWithToolCallList"][0] for one in (message, wanted))
        assert set(mine) == set(theirs)
        assert set(mine["toolCall"]) == set(theirs["toolCall"])
        for one in (message, wanted):
            assert isinstance(one["toolCallList"][0]["function"]["arguments"], dict)


def test_the_report(world: World) -> None:
    wanted = real("20")["message"]
    message = world.of("end-of-call-report")[0].message
    assert list(message)[: len(wanted) - 2] == list(wanted)[:-2]
    assert keys(message["call"]) == keys(wanted["call"])
    assert set(message["costBreakdown"]) == set(wanted["costBreakdown"])
    parts = "analysisCostBreakdown"
    assert set(message["costBreakdown"][parts]) == set(wanted["costBreakdown"][parts])
    left = {key for key in message["artifact"] if not key.startswith("presigned")}
    assert left == set(wanted["artifact"])
    recording = "recording"
    assert set(message["artifact"][recording]) == set(wanted["artifact"][recording])
    metrics = "performanceMetrics"
    assert set(message["artifact"][metrics]) == set(wanted["artifact"][metrics])
    turns = [one["artifact"][metrics]["turnLatencies"][0] for one in (message, wanted)]
    assert set(turns[0]) == set(turns[1])
    variables = set(message["artifact"]["variables"])
    assert variables == set(wanted["artifact"]["variables"])


def test_the_items_of_a_report(world: World) -> None:
    wanted = real("20")["message"]
    message = world.of("end-of-call-report")[0].message
    for name, kind in (("costs", "type"), ("messages", "role")):
        mine = {one[kind]: set(one) for one in message[name]}
        theirs = {one[kind]: set(one) for one in wanted[name]}
        assert mine == theirs
    formatted = "messagesOpenAIFormatted"
    mine_, theirs_ = (
        {(one["role"], *sorted(one)) for one in source["artifact"][formatted]}
        for source in (message, wanted)
    )
    assert theirs_ <= mine_
    words = "wordLevelConfidence"
    user = [
        next(one for one in source["messages"] if one["role"] == "user")["metadata"][words][0]
        for source in (message, wanted)
    ]
    assert list(user[0]) == list(user[1])


def test_a_finished_call(world: World) -> None:
    wanted = real("32")
    document = world.rest("GET", "/call").json[0]
    assert keys(wanted) <= set(document)
    theirs = {one["type"]: set(one) for one in wanted["costs"]}
    mine = {one["type"]: set(one) for one in document["costs"]}
    assert theirs["analysis"] <= mine["analysis"]
    assert theirs["vapi"] == mine["vapi"]
