"""The client of a GPT-Live tape talks to a simulated GPT-Live: speech, a function, the close."""

from __future__ import annotations

import json
from dataclasses import replace

from calling import KEY, caller, hold

from recorder.audio import pcm
from recorder.events import Event, Message
from recorder.heads import RequestHead
from recorder.providers import PROVIDERS
from recorder.trial.doubles import Doubles
from recorder.trial.sides.openai_live import LiveCall
from recorder.trial.steps import Cue
from replay.simulators.common.voice import synthesise
from replay.simulators.openai_live import LiveSimulator, Options

LIVE = PROVIDERS["openai-live"]
TOOL = {"type": "function", "name": "get_weather", "parameters": {"type": "object"}}
SESSION = {
    "model": "gpt-live-1",
    "delegation": {"type": "responses", "responses": {"model": "gpt-4.1", "tools": [TOOL]}},
}
OPTIONS = Options(transcripts=("The weather, please.",), replies=("It is mild.",))


class Keyed(LiveCall):
    """With a key in its head."""

    def due(self, now: int) -> list[Message]:
        return [_keyed(message) for message in super().due(now)]


def _keyed(message: Message) -> Message:
    if message.kind != "ws.open":
        return message
    head = replace(RequestHead.decode(message.body), headers=KEY)
    return message._replace(body=head.encode())


def tape() -> list[Event]:
    said = pcm.to_bytes(synthesise("The weather, please"))
    steps = [
        Cue("session_ready", 500, 5000, said, 24_000, number=1),
        Cue("agent_speech_end", 500, 20_000),
    ]
    client = Keyed(SESSION, None, steps, Doubles(()))
    made = hold(client, LiveSimulator(7, 0, OPTIONS), named=LIVE)
    assert client.failed is None
    return made


def types(run: list[Event], sender: str) -> list[str]:
    streams = ("session.input_audio.append", "session.output_audio.delta")
    return [each.type for each in run if each.sender == sender and each.type not in streams]


def test_it_speaks_answers_the_function_and_then_asks_to_go_on() -> None:
    recorded = tape()
    asked = types(recorded, "client")
    assert asked[1:5] == [
        "session.start",
        "response.item.create",
        "response.create",
        "session.close",
    ]
    played = caller(recorded, LIVE)
    run = hold(played, LiveSimulator(7, 0, OPTIONS), named=LIVE)
    assert types(run, "client")[:5] == asked[:5]
    assert str(played.verdict).startswith("PASS steps=5/5")
    nested = [json.loads(each.body)["event"] for each in run if each.type == "response.event"]
    ends = [each["type"] for each in nested if each["type"] == "response.completed"]
    assert len(ends) == 2
