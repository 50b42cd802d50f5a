"""Scenarios rehearsed on virtual time: the caller of a trial against a simulated provider."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from recorder.events import Machine, Message
from recorder.heads import RequestHead, ResponseHead
from recorder.trial.doubles import Doubles, Made
from recorder.trial.rendering import Clip
from recorder.trial.scenario import Scenario
from recorder.trial.sides import side
from recorder.trial.sides.base import Party, script
from recorder.trial.speaker import Speaker
from replay.loopback import Crossing, Loopback
from replay.simulators import openai, openai_live, vapi

_NS = 1_000_000_000
_SERVER = "http://team.example/hooks"
_KEY = (("Host", "simulator"), ("Authorization", "Bearer made-up"))


@dataclass
class Rehearsal:
    """How it went."""

    party: Party
    doubles: Doubles
    crossed: list[Crossing] = field(default_factory=list)

    @property
    def triggers(self) -> list[tuple[int, str]]:
        """The turns, and what made each begin."""
        return [(each.cue.number, each.trigger) for each in self.party.moments if each.cue.number]

    @property
    def speaker(self) -> Speaker:
        """The caller on the socket."""
        return cast(Speaker, getattr(self.party, "_speaker", self.party))

    @property
    def said(self) -> list[str]:
        """What was heard of the agent."""
        return [each.text for each in self.speaker.heard]

    @property
    def calls(self) -> list[tuple[str, Mapping[str, Any]]]:
        """The calls of tools."""
        return [(made.name, made.arguments) for made in self.doubles.made]

    def sent(self, kind: str) -> list[bytes]:
        """The bodies that the caller sent."""
        return [
            each.message.body
            for each in self.crossed
            if each.sender == "client" and each.message.kind == kind
        ]


class _Keyed:
    """A party with a key in its heads, whose absolute URLs lead to the simulator."""

    def __init__(self, party: Party) -> None:
        self._party = party

    @property
    def finished(self) -> bool:
        return self._party.finished

    def receive(self, message: Message, now: int) -> None:
        self._party.receive(message, now)

    def due(self, now: int) -> list[Message]:
        return [self._keyed(message) for message in self._party.due(now)]

    def next_deadline(self) -> int | None:
        return self._party.next_deadline()

    def _keyed(self, message: Message) -> Message:
        if message.kind not in ("ws.open", "http.request"):
            return message
        head = RequestHead.decode(message.body)
        path = "/" + head.path.split("/", 3)[3] if "://" in head.path else head.path
        head = replace(head, path=path, headers=(*head.headers, *_KEY))
        return message._replace(body=head.encode())


def rehearse(
    scenario: Scenario, clips: Mapping[int, Clip], provider: str, seed: int = 1
) -> Rehearsal:
    """One run. Tools of Vapi are answered at once."""
    doubles = Doubles(scenario.doubles)
    found = side(provider)
    party = found.party(scenario, script(scenario, clips, found.RATE), doubles)
    rehearsal = Rehearsal(party, doubles)

    def application(message: Message) -> Message:
        return _answer(message, doubles, world.now_ns)

    world = Loopback(
        _Keyed(party),
        _simulator(scenario, provider, seed),
        limit_ns=200 * _NS,
        application=application,
    )
    for crossing in world:
        rehearsal.crossed.append(crossing)
        if party.finished and provider != "vapi":
            break
    return rehearsal


def _simulator(scenario: Scenario, provider: str, seed: int) -> Machine:
    says = tuple(turn.say for turn in scenario.turns if turn.say)
    replies = scenario.simulated_replies
    first = scenario.agent.first_message
    if provider == "openai":
        if replies and first and scenario.speaks_first == "agent":
            replies = (first, *replies)
        return openai.OpenAISimulator(seed, 0, openai.Options(transcripts=says, replies=replies))
    if provider == "openai-live":
        live = openai_live.Options(transcripts=says, replies=replies)
        return openai_live.LiveSimulator(seed, 0, live)
    options = vapi.Options(
        transcripts=says, replies=replies, settle_ms=500, server={"url": _SERVER}
    )
    return vapi.VapiSimulator(seed, 0, options)


def _answer(message: Message, doubles: Doubles, now: int) -> Message:
    told = json.loads(message.payload)["message"]
    answer: dict[str, Any] = {}
    if told["type"] == "tool-calls":
        made = [
            doubles.call(one["id"], one["function"]["name"], one["function"]["arguments"], now)
            for one in told["toolCallList"]
        ]
        answer["results"] = [_result(each) for each in made]
    head = ResponseHead(200, "OK", (("content-type", "application/json"),))
    body = json.dumps(answer).encode()
    return Message(message.channel, "webhook.response", head.encode(), body)


def _result(made: Made) -> dict[str, Any]:
    if made.error is not None:
        return {"toolCallId": made.id, "error": made.error}
    return {"toolCallId": made.id, "result": made.output}
