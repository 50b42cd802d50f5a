"""Webhooks of a tape: each at its place among all else, and what waits for their answers."""

from __future__ import annotations

import json
import random
from itertools import pairwise
from typing import Any

import pytest
from tapes import Take
from vapi_replaying import (
    ASKED,
    BOOK,
    CALL,
    REPLY,
    SERVER,
    SPEECH,
    VAPI,
    Parties,
    Tape,
    events,
    player,
)

from recorder.heads import Close, RequestHead
from replay.script import read_script

RESULTS = {"results": [{"toolCallId": "call_1", "result": "7 degrees"}]}


def spoken() -> Tape:
    """A call with one turn that needs a tool: 600 ms of speech, 400 ms later the tool, 300 ms
    after its answer the reply."""
    tape = Tape().create().wait(50).hook("status-update").wait(20).open()
    tape.wait(100).says("status-update", status="in-progress").wait(60).hook("status-update")
    tape.stream("client", SPEECH).stream("client", bytes(12_800))
    tape.says("tool-calls", toolCallList=[]).wait(55).hook("tool-calls", RESULTS, ms=800)
    tape.wait(300).says("speech-update", status="started", role="assistant")
    tape.stream("provider", REPLY).says("speech-update", status="stopped", role="assistant")
    tape.wait(55).hook("speech-update").wait(500).close()
    return tape.wait(1600).hook("status-update").wait(1300).hook("end-of-call-report")


def talk(parties: Parties, answer: Any = RESULTS) -> Parties:
    """A client and an application that do as they did on the tape."""
    parties.ask("POST", "/call", ASKED)
    parties.run(1).answer(0)
    parties.open().run(1).answer(1)
    parties.stream(SPEECH).stream(bytes(12_800))
    return parties.answer(2, answer)


def hang_up(parties: Parties) -> Parties:
    parties.run(1).give(2, "ws.close", Close(1000).encode())
    for at in (3, 4, 5):
        parties.run(1).answer(at)
    return parties


ORDER = [
    "http 201",
    "hook status-update",
    "ws.open",
    "ws status-update",
    "hook status-update",
    "ws tool-calls",
    "hook tool-calls",
    "ws speech-update",
    "audio",
    "ws speech-update",
    "hook speech-update",
    "hook status-update",
    "hook end-of-call-report",
]


def test_each_goes_out_at_its_place() -> None:
    machine = player(spoken())
    parties = hang_up(talk(Parties(machine)))
    assert parties.did == ORDER
    assert machine.finished
    assert machine.failure is None
    assert "replay complete" in machine.report()
    assert machine.used == machine.total == 9 + 1 + 6


def test_nothing_is_told_before_the_sound_that_caused_it() -> None:
    parties = Parties(player(spoken()))
    parties.ask("POST", "/call", ASKED)
    parties.answer(0).open().answer(1)
    parties.stream(SPEECH[: len(SPEECH) // 2])
    assert parties.did == ORDER[:5]
    parties.stream(SPEECH[len(SPEECH) // 2 :]).stream(bytes(12_800))
    assert parties.did == ORDER[:7]


def test_what_follows_waits_for_an_answer_that_matters() -> None:
    machine = player(spoken())
    parties = Parties(machine)
    parties.ask("POST", "/call", ASKED)
    parties.open().stream(SPEECH).stream(bytes(12_800))
    assert parties.did == ORDER[:7]  # though nobody has answered the status-updates
    parties.run(60_000)
    assert parties.did == ORDER[:7]
    assert machine.failure is None  # it is not the client that is waited for
    parties.answer(2, RESULTS)
    assert parties.did == ORDER[:11]


@pytest.mark.parametrize("speed", [1.0, 2.0])
def test_gaps_are_scaled(speed: float) -> None:
    parties = Parties(player(spoken(), speed))
    parties.request_call()
    parties.run(200 / speed).answer(0).open().run(200 / speed).answer(1)
    assert parties.when("hook status-update") - parties.when("http 201") == pytest.approx(
        50 / speed, abs=0.1
    )
    parties.stream(SPEECH).stream(bytes(12_800)).run(100)
    asked = parties.when("hook tool-calls")
    assert asked - parties.when("ws tool-calls") == pytest.approx(55 / speed, abs=0.1)
    parties.run(1000).answer(2, RESULTS)
    answered = (parties.now - 1_000_000_000) / 1e6
    parties.run(2000)
    assert parties.when("ws speech-update") - answered == pytest.approx(300 / speed, abs=0.1)
    frames = [ms for ms, name in parties.log if name == "audio"]
    steps = [after - before for before, after in pairwise(frames)]
    assert steps == pytest.approx([20 / speed] * 4, abs=0.1)


@pytest.mark.parametrize("seed", range(12))
def test_the_order_is_that_of_the_tape_whoever_takes_how_long(seed: int) -> None:
    chance = random.Random(seed)
    speed = chance.choice([None, 0.5, 1.0, 7.0])
    machine = player(spoken(), speed, patience_s=60)
    parties = Parties(machine)

    def dawdle() -> None:
        parties.run(chance.choice([0, 1, 30, 900, 4000]))

    def until(count: int) -> None:
        """Let the application answer all but the last of `count` webhooks, in any order."""
        while len(parties.hooks) < count:
            parties.run(10)
        late = [at for at in range(count) if at != 2 and at not in answered]
        for at in chance.sample(late, len(late)):
            dawdle()
            answered.add(at)
            parties.answer(at)

    answered: set[int] = set()
    parties.request_call().run(20)
    dawdle()
    parties.open()
    until(2)
    dawdle()
    parties.stream(bytes(6_400), chance.choice([10, 20, 60])).stream(SPEECH).stream(bytes(12_800))
    until(3)
    dawdle()
    parties.answer(2, RESULTS)
    until(4)
    parties.run(2000).give(2, "ws.close", Close(1000).encode())
    until(6)
    kept = [name for name in parties.did if name != "ws.open"]
    assert kept == [name for name in ORDER if name != "ws.open"]
    assert machine.finished
    assert machine.failure is None


def test_an_answer_that_differs_ends_everything() -> None:
    machine = player(spoken())
    other = {"results": [{"toolCallId": "call_1", "result": "30 degrees"}]}
    parties = talk(Parties(machine), other)
    report = machine.report()
    assert "tool-calls differs" in report
    assert "at        $.body.results[0].result" in report
    assert 'expected  "7 degrees"' in report
    assert 'got       "30 degrees"' in report
    assert "unused: next is speech-update at step" in report
    assert Close.decode(parties.got[-1].body).code == 1001
    assert machine.finished


def test_a_status_that_differs_ends_it_too() -> None:
    machine = player(spoken())
    parties = Parties(machine)
    parties.ask("POST", "/call", ASKED)
    parties.answer(0, status=500)
    assert "at        $.status" in machine.report()
    assert "expected  200" in machine.report()


def test_a_status_that_differs_is_told_before_the_body() -> None:
    machine = player(spoken())
    parties = Parties(machine)
    parties.ask("POST", "/call", ASKED)
    parties.answer(0, body={"oops": 1}, status=500)
    assert "at        $.status" in machine.report()


@pytest.mark.parametrize("note", ["broken", "too_long"])
def test_a_webhook_of_which_only_a_part_came_is_not_delivered(note: str) -> None:
    tape = spoken()
    channel = max(take.channel for take in tape.takes) + 1
    head = RequestHead("POST", "/webhooks/vapi").encode()
    whole = len(read_script(events(tape.takes), VAPI, BOOK).deliveries)
    tape.takes.append(Take(9e6, channel, "provider", "webhook.request", "", head))
    assert len(read_script(events(tape.takes), VAPI, BOOK).deliveries) == whole + 1
    tape.takes.append(Take(9e6, channel, "recorder", "note", note, b"{}"))
    assert len(read_script(events(tape.takes), VAPI, BOOK).deliveries) == whole


def test_an_answer_is_compared_as_json() -> None:
    machine = player(spoken())
    same = {"error": None, "results": [{"result": "7 degrees", "toolCallId": "call_1"}]}
    hang_up(talk(Parties(machine), same))
    assert machine.failure is None


def test_an_application_that_is_down_is_told() -> None:
    machine = player(spoken())
    parties = Parties(machine)
    parties.ask("POST", "/call", ASKED)
    parties.answer(0, status=0)
    assert machine.failure
    assert "could not be delivered: connection refused" in machine.failure.headline


@pytest.mark.parametrize("by", ["", "recorder"])
def test_where_no_application_answered_any_answer_will_do(by: str) -> None:
    for status in (200, 500, 0):
        machine = player(Tape().create().wait(20).hook("status-update", by=by))
        parties = Parties(machine)
        parties.ask("POST", "/call", ASKED)
        parties.answer(0, {"any": 1}, status)
        assert machine.finished
        assert machine.failure is None


def test_without_an_application_the_call_goes_on_at_its_time() -> None:
    machine = player(spoken(), 1.0, webhook_to=None)
    parties = Parties(machine)
    parties.request_call()
    parties.run(200).open().run(300).stream(SPEECH).stream(bytes(12_800))
    heard = (parties.now - 1_000_000_000) / 1e6
    parties.run(2000).give(2, "ws.close", Close(1000).encode()).run(4000)
    assert parties.hooks == []
    late = parties.when("ws speech-update") - parties.when("ws tool-calls")
    assert late == pytest.approx(55 + 800 + 300, abs=1)
    assert parties.when("ws tool-calls") - heard < 30
    assert machine.finished
    assert machine.failure is None
    assert "note: 6 webhooks not sent: no --webhook-to" in machine.report()


def test_a_url_is_built_as_the_proxy_builds_it() -> None:
    tape = Tape().create().wait(20).hook("hang", path="/a%20b?x=1&y=%2F").hook("hang")
    parties = Parties(player(tape))
    parties.ask("POST", "/call", ASKED)
    urls = [RequestHead.decode(hook.body).path for hook in parties.hooks]
    assert urls == [f"{SERVER}/a%20b?x=1&y=%2F", SERVER]


def test_urls_lead_to_where_the_client_has_asked() -> None:
    machine = player(spoken())
    machine.reached_at("https://127.0.0.1:1")
    parties = Parties(machine)
    made = parties.ask("POST", "/call", ASKED)
    here = f"replay.example:9000/vapi/{CALL}"
    assert made["transport"]["websocketCallUrl"] == f"wss://{here}/transport"
    assert made["monitor"] == {
        "listenUrl": f"wss://{here}/listen",
        "controlUrl": f"https://{here}/control",
    }
    told = json.loads(parties.hooks[0].payload)["message"]["call"]
    assert told == made


def test_a_webhook_before_any_request_knows_the_server() -> None:
    machine = player(Tape().hook("assistant-request", {"assistantId": "a"}))
    machine.reached_at("http://127.0.0.1:4711")
    parties = Parties(machine).run()
    told = json.loads(parties.hooks[0].payload)["message"]["call"]
    assert told["monitor"]["listenUrl"] == f"ws://127.0.0.1:4711/vapi/{CALL}/listen"
    parties.answer(0, {"assistantId": "a"})
    assert machine.finished


def test_an_early_client_waits_for_the_order_of_the_tape() -> None:
    """A socket that is open before the webhook that came before it hears nothing yet."""
    parties = Parties(player(spoken(), 1.0))
    parties.request_call()
    parties.run(12).open().run(30)
    assert parties.did == ["http 201", "ws.open"]
    parties.run(2000)
    assert parties.did == ["http 201", "ws.open", *ORDER[1:2], *ORDER[3:5]]
