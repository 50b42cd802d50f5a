"""A call at the simulated Vapi with a turn, a tool and an interruption."""

from __future__ import annotations

from typing import Any

from vapi_world import SERVER, World, tool_answers

from recorder.audio import pcm
from recorder.trial.steps import AwaitReply, Close, Interrupt, Speak, Step
from replay.simulators.common.voice import synthesise
from replay.simulators.vapi import Options

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
ASSISTANT: dict[str, Any] = {
    "name": "Desk",
    "firstMessage": "Hello, how can I help you?",
    "server": {"url": SERVER},
    "model": {
        "provider": "openai",
        "model": "gpt-4.1",
        "messages": [{"role": "system", "content": "Be kind."}],
        "tools": [WEATHER],
    },
}
ORDER, ASK, STOP = "I have a question", "What is the weather in Berlin?", "Stop please."
STORY = Options(transcripts=(ORDER + ".", ASK, STOP), replies=())


def spoken(text: str) -> bytes:
    return pcm.to_bytes(synthesise(text))


STEPS: list[Step] = [
    AwaitReply(),
    Speak(spoken(ORDER)),
    AwaitReply(),
    Speak(spoken(ASK)),
    Interrupt(900, spoken(STOP)),
    AwaitReply(),
    Close(),
]


def story(seed: int = 7, **assistant: Any) -> tuple[World, dict[str, Any], int]:
    """The whole call: the world, the created call, and its socket."""
    answer = tool_answers({"get_weather": "Sunny, 21 degrees"})
    world = World(STORY, answer, seed=seed)
    call = world.create(assistant={**ASSISTANT, **assistant})
    channel, speaker = world.speak(call, STEPS)
    assert speaker.failed is None
    world.wait(30)
    return world, call, channel


def reason(world: World, call: dict[str, Any]) -> Any:
    """Why a call ended, 5 s later."""
    world.wait(5)
    document = world.rest("GET", f"/call/{call['id']}").json
    assert document["status"] == "ended"
    return document["endedReason"]
