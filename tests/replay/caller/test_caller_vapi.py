"""The client of a recorded Vapi call: it makes the call, talks on its socket, answers webhooks."""

from __future__ import annotations

import json
from typing import Any

import pytest
from calling import caller, digest, hold
from vapi_client import ASSISTANT, STEPS, Client

from recorder.events import Event, Message
from recorder.heads import RequestHead
from recorder.providers import PROVIDERS
from replay.caller import Caller
from replay.simulators.vapi import Options, VapiSimulator

VAPI = PROVIDERS["vapi"]
WALL_NS = 1_790_000_000_000_000_000
TRANSCRIPTS = ("The weather in Oslo?", "Tell me something long.", "Stop.")
REPLIES = (
    "It rains a lot.",
    "Once upon a time there was a very long story that never came to its end at all.",
    "Bye.",
)


def simulator(seed: int = 3, **options: Any) -> VapiSimulator:
    chosen = {"transcripts": TRANSCRIPTS, "replies": REPLIES, **options}
    return VapiSimulator(seed, WALL_NS, Options(**chosen))


@pytest.fixture(scope="module")
def tape() -> list[Event]:
    client = Client()
    made = hold(client, simulator(), 0, VAPI)
    assert client.speaker is not None
    assert client.speaker.failed is None
    return made


def play(tape: list[Event], service: Any, **options: Any) -> tuple[Caller, list[Event]]:
    played = caller(tape, VAPI, **options)
    return played, hold(played, service, 0, VAPI)


def notes(played: Caller) -> list[str]:
    return [str(note) for note in played.verdict.notes]


def results(run: list[Event]) -> list[Any]:
    """What functions were answered."""
    bodies = [json.loads(each.body) for each in run if each.sender == "client" and _is_hook(each)]
    return [one for body in bodies for one in body.get("results", ())]


def _is_hook(event: Event) -> bool:
    return event.kind == "http.chunk" and event.type == "tool-calls" and bool(event.body)


def test_a_call_with_the_same_seed_is_the_same(tape: list[Event]) -> None:
    played, run = play(tape, simulator())
    assert digest(run, VAPI) == digest(tape, VAPI)
    assert (played.verdict.outcome, notes(played)) == ("pass", [])
    assert played.verdict.steps == played.verdict.total


@pytest.mark.parametrize("seed", [4, 5])
def test_another_seed_is_another_call_at_its_own_url(tape: list[Event], seed: int) -> None:
    played, run = play(tape, simulator(seed))
    assert digest(run, VAPI) != digest(tape, VAPI)
    assert (played.verdict.outcome, notes(played)) == ("pass", [])
    made = next(json.loads(each.body) for each in run if _is_call(each))
    opened = [each for each in run if (each.kind, each.sender) == ("ws.open", "client")]
    assert [RequestHead.decode(each.body).path for each in opened] == [f"/{made['id']}/transport"]
    asked = [each.body for each in run if each.kind == "http.request"]
    assert RequestHead.decode(asked[-1]).path == f"/call/{made['id']}"
    (call,) = _calls(run)
    assert [(one["toolCallId"], one["result"]) for one in results(run)] == [(call, "rain")]


def _is_call(event: Event) -> bool:
    return event.sender == "provider" and event.type == "POST /call" and bool(event.body)


def _calls(run: list[Event]) -> list[str]:
    told = [each for each in run if each.sender == "provider" and _is_hook(each)]
    return [one["id"] for each in told for one in json.loads(each.body)["message"]["toolCallList"]]


def test_doubles_answer_functions(tape: list[Event]) -> None:
    _, run = play(tape, simulator(), doubles={"get_weather": "storm"})
    assert [one["result"] for one in results(run)] == ["storm"]


def test_a_function_that_the_tape_does_not_call_gets_an_error() -> None:
    steps = STEPS[:3]
    bare = {**ASSISTANT, "model": {"provider": "openai", "model": "gpt-4.1"}}
    recorded = hold(Client(steps, bare), simulator(), 0, VAPI)
    played, run = play(recorded, _With(simulator()))
    (result,) = results(run)
    assert "no result of get_weather is on the tape" in result["result"]
    assert played.verdict.outcome == "pass"
    assert notes(played)[0] == "turn 1: get_weather was called, on the tape it was not: no result"


class _With:
    """A service that makes of every assistant another one."""

    def __init__(self, service: VapiSimulator, assistant: Any = ASSISTANT) -> None:
        self._service, self._assistant = service, assistant
        self.due, self.next_deadline = service.due, service.next_deadline

    def receive(self, message: Message, now: int) -> None:
        if message.kind == "http.request" and message.payload:
            body = {**json.loads(message.payload), "assistant": self._assistant}
            message = message._replace(payload=json.dumps(body).encode())
        self._service.receive(message, now)


def test_an_interruption_that_does_not_come_is_noted(tape: list[Event]) -> None:
    played, _ = play(tape, simulator(replies=("Rain.", "No.", "Bye.")))
    assert played.verdict.outcome == "pass"
    assert "turn 3: no interruption came" in notes(played)


def test_a_call_that_is_refused_ends_the_run(tape: list[Event]) -> None:
    played, run = play(tape, simulator(keys=frozenset({"another"})))
    assert played.verdict.outcome == "fail"
    told = "POST /call was answered with 401, on the tape with 201: Invalid Key."
    assert played.verdict.reason.startswith(told)
    assert not [each for each in run if each.kind == "ws.open"]


def test_a_call_that_ends_early_is_a_failure(tape: list[Event]) -> None:
    played, _ = play(tape, _With(simulator(), {**ASSISTANT, "maxDurationSeconds": 10}))
    assert played.verdict.outcome == "fail"
    assert played.verdict.reason.startswith("turn 3: the provider closed the connection: 1000")
