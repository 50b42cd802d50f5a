"""What the assistant's plans change in a call of the simulated Vapi."""

from __future__ import annotations

from typing import Any

import pytest
from vapi_world import MS, SERVER, Frame, World

from recorder.audio import pcm
from recorder.trial.steps import AwaitReply, Interrupt, Speak, Step
from replay.simulators.common.voice import synthesise
from replay.simulators.vapi import Options

LONG = "Let me tell you everything that there is to know about the history of parcels. " * 2


def spoken(text: str) -> bytes:
    return pcm.to_bytes(synthesise(text))


def at(world: World, channel: int, *words: str) -> list[int]:
    """When text frames that contain these words came, in ms."""

    def fits(frame: Frame) -> bool:
        mine = frame.who == "provider" and frame.kind == "ws.text"
        return mine and all(f'"{word}"'.encode() in frame.body for word in words)

    return [frame.at // MS for frame in world.frames[channel] if fits(frame)]


def interrupted(plan: dict[str, Any]) -> tuple[World, int]:
    """A call whose long reply is interrupted."""
    options = Options(transcripts=("Hello.", "Stop this now."), replies=(LONG, "Fine."))
    world = World(options)
    call = world.create(assistant={"firstMessage": "Hi.", "stopSpeakingPlan": plan})
    steps: list[Step] = [
        AwaitReply(),
        Speak(spoken("Hello there")),
        Interrupt(1500, spoken("Stop this now please")),
        AwaitReply(),
    ]
    channel, speaker = world.speak(call, steps)
    assert speaker.failed is None
    return world, channel


@pytest.mark.parametrize(
    ("plan", "least", "most"),
    [
        ({}, 100, 200),
        ({"voiceSeconds": 0}, 0, 0),
        ({"voiceSeconds": 0.5}, 400, 500),
        ({"numWords": 3}, 950, 1050),
    ],
)
def test_how_long_speech_must_last_to_interrupt(
    plan: dict[str, Any], least: int, most: int
) -> None:
    world, channel = interrupted(plan)
    (cut,) = at(world, channel, "user-interrupted")
    began = at(world, channel, "speech-update", "started", "user")[-1]
    assert least <= cut - began <= most


@pytest.mark.parametrize("seconds", [0, 6])
def test_how_long_the_assistant_is_silent_after_it(seconds: int) -> None:
    world, channel = interrupted({"backoffSeconds": seconds})
    (cut,) = at(world, channel, "user-interrupted")
    again = at(world, channel, "speech-update", "started", "assistant")[-1]
    assert (again - cut >= 6000) == (seconds == 6)


@pytest.mark.parametrize(
    ("plan", "words", "seconds"),
    [
        ({}, "Yes.", 0.4),
        ({}, "Yes and", 1.5),
        ({}, "Room 7", 0.5),
        ({"waitSeconds": 2}, "Yes.", 2),
        ({"transcriptionEndpointingPlan": {"onNoPunctuationSeconds": 3}}, "Yes and", 3),
    ],
)
def test_how_long_the_end_of_a_turn_is_waited_for(
    plan: dict[str, Any], words: str, seconds: float
) -> None:
    world = World(Options(transcripts=(words,), jitter_ms=0))
    call = world.create(assistant={"firstMessage": "Hi.", "startSpeakingPlan": plan})
    steps: list[Step] = [AwaitReply(), Speak(spoken("Yes and more")), AwaitReply()]
    channel, _ = world.speak(call, steps)
    (stopped,) = at(world, channel, "speech-update", "stopped", "user")
    (output, *_) = at(world, channel, "model-output")
    assert output - stopped == round(1000 * seconds) + 500


def test_overrides_are_merged_deeply() -> None:
    world = World()
    prompt = [{"role": "system", "content": "Be kind."}]
    model = {"provider": "openai", "model": "gpt-4.1", "messages": prompt, "temperature": 0.5}
    body = {"name": "Desk", "firstMessage": "Hi.", "model": model, "server": {"url": SERVER}}
    saved = world.rest("POST", "/assistant", body).json
    changed = {"provider": "openai", "temperature": 1}
    overrides = {"model": changed, "firstMessage": "Ho.", "variableValues": {"x": 1}}
    call = world.create(assistantId=saved["id"], assistantOverrides=overrides)
    assert call["assistantOverrides"] == overrides
    world.wait(1)
    assistant = world.hooks[0].message["assistant"]
    assert assistant["model"] == {**model, "temperature": 1}
    assert (assistant["firstMessage"], assistant["name"]) == ("Ho.", "Desk")
    assert world.rest("GET", f"/assistant/{saved['id']}").json["model"] == model


def test_saved_tools_are_written_out() -> None:
    world = World()
    function = {"type": "function", "function": {"name": "find_parcel"}}
    tool = world.rest("POST", "/tool", function).json
    model = {"provider": "openai", "toolIds": [tool["id"]]}
    world.create(assistant={"model": model, "server": {"url": SERVER}})
    world.wait(1)
    assert world.hooks[0].message["assistant"]["model"] == {**model, "tools": [tool]}


def tool(name: str, url: str) -> dict[str, Any]:
    return {
        "type": "function",
        "messages": [],
        "function": {"name": name},
        "server": {"url": url},
    }


def test_tools_of_two_servers_are_asked_apart_and_answered_once() -> None:
    other = "http://other.example/hook"

    def answer(message: dict[str, Any]) -> tuple[int, Any] | None:
        listed = message["toolCallList"]
        if listed[0]["function"]["name"] == "get_weather":
            return None
        named = [{"toolCallId": one["id"], "result": one["function"]["name"]} for one in listed]
        return 200, {"results": named}

    world = World(Options(transcripts=("Find my parcel and the weather.",)), answer)
    tools = [tool("find_parcel", SERVER), tool("get_weather", other)]
    tools[1]["server"]["timeoutSeconds"] = 5
    call = world.create(
        assistant={"firstMessage": "Hi.", "model": {"provider": "openai", "tools": tools}}
    )
    steps: list[Step] = [AwaitReply(), Speak(spoken("Find my parcel")), AwaitReply()]
    _, speaker = world.speak(call, steps)
    assert [hook.head.path for hook in world.hooks] == [SERVER, other]
    assert len(speaker.heard) == 2
    assert "find_parcel No result returned." in speaker.heard[1].text
    world.wait(5)
    messages = world.rest("GET", f"/call/{call['id']}").json["messages"]
    assert [one["role"] for one in messages[2:]] == [
        "tool_calls",
        "tool_call_result",
        "tool_call_result",
        "bot",
    ]


def test_an_asynchronous_tool_is_not_waited_for() -> None:
    def slow(message: dict[str, Any]) -> Any:
        return None if message["type"] == "tool-calls" else (200, {})

    world = World(Options(transcripts=("Find my parcel.",)), slow)
    tools = [{**tool("find_parcel", SERVER), "async": True}]
    call = world.create(
        assistant={"firstMessage": "Hi.", "model": {"provider": "openai", "tools": tools}}
    )
    steps: list[Step] = [AwaitReply(), Speak(spoken("Find my parcel")), AwaitReply(8)]
    _, speaker = world.speak(call, steps)
    assert speaker.failed is None
    assert "The request has been passed on." in speaker.heard[1].text


def test_an_answer_not_yet_begun_is_thought_of_anew() -> None:
    world = World(Options(transcripts=("First.", "Second."), replies=()))
    greeting = "Welcome to the front desk of the greatest parcel service that there is."
    call = world.create(assistant={"firstMessage": greeting})
    steps: list[Step] = [
        Speak(spoken("First") + bytes(2 * 24_000 * 2) + spoken("Second")),
        AwaitReply(),
        Speak(bytes(960)),
        AwaitReply(),
    ]
    channel, speaker = world.speak(call, steps)
    said = [one.text for one in speaker.heard]
    assert said[0] == greeting
    assert len(said) == 2
    assert "First. Second." in said[1]
    assert at(world, channel, "user-interrupted") == []
