"""A user's rules in a whole replay: where they hold, and which are refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from replaying import OPENAI, Client, events
from tapes import Script as Takes
from tapes import session_object
from vapi_replaying import ASKED, CALL, SERVER, VAPI, Parties, Tape
from vapi_replaying import events as vapi_events

from recorder.errors import RecorderError
from recorder.events import Message
from recorder.heads import RequestHead
from replay.match.rulebook import Rulebook
from replay.match.rules import parse_rules
from replay.player import Player
from replay.script import read_script

SETTINGS = {
    "type": "realtime",
    "instructions": "Be brief.",
    "tools": [{"name": "a"}, {"name": "b"}],
    "audio": {"input": {"turn_detection": {"threshold": 0.5}}},
}
JSON = (("Content-Type", "application/json"),)


def openai(*rules: str) -> Player:
    takes = Takes().open().provider("session.created", session=session_object())
    takes.client("session.update", session=SETTINGS).client("response.create")
    takes = takes.provider("response.done", response={}).close()
    book = Rulebook(OPENAI.RULES, parse_rules(rules, "rules.txt"))
    return Player(read_script(events(takes.takes), OPENAI, book), OPENAI, book, speed=None)


def told(machine: Player, query: str = "model=gpt-realtime", **changes: Any) -> str:
    client = Client(machine).open(query=query)
    client.send("session.update", session={**SETTINGS, **changes}).send("response.create").close()
    return client.machine.report()


def test_messages() -> None:
    rule = "regex session.update:$.session.instructions Be .*"
    assert told(openai(rule), instructions="Be loud.").startswith("replay complete")
    assert "Be .*" in told(openai(rule), instructions="Be\u00a0loud.")
    assert told(openai("unordered **.tools"), tools=[{"name": "b"}, {"name": "a"}]).startswith(
        "replay complete"
    )


def test_the_target_of_a_connection() -> None:
    rule = "any ws.open:$.query.model[0]"
    assert told(openai(rule), query="model=gpt-new").startswith("replay complete")
    assert "with this query is not on the tape" in told(openai(), query="model=gpt-new")


def test_a_rule_that_a_replay_did_without_is_noted_at_its_end() -> None:
    report = told(openai("any $.session.speed"))
    assert report.splitlines()[-1] == "note: rule never applied: any $.session.speed"
    failed = told(openai("any $.session.speed"), instructions="x")
    assert "never applied" not in failed, "it may not have come to it"


@pytest.mark.parametrize("instructions", ["Be brief.", "x"])
def test_a_rule_for_a_type_that_is_not_on_the_tape_is_told(instructions: str) -> None:
    report = told(
        openai("any sesion.update:$.session.speed", "any response.done:$.response.id"),
        instructions=instructions,
    )
    note = "note: rule for a type that is not on the tape: any sesion.update:$.session.speed"
    assert note in report
    assert report.count("not on the tape") == 1


def calling(*rules: str) -> Parties:
    results = {"results": [{"toolCallId": "t1", "result": "rain"}]}
    tape = Tape().create().wait(20).hook("tool-calls", results)
    tape.ask("GET", "/assistant", None, []).ask("PATCH", f"/assistant/{CALL}", {"name": "A"}, {})
    book = Rulebook(VAPI.RULES, parse_rules(rules, "rules.txt"))
    script = read_script(vapi_events(tape.takes), VAPI, book)
    return Parties(Player(script, VAPI, book, speed=None, webhook_to=SERVER))


def ask(parties: Parties, method: str, path: str, body: Any, query: str = "") -> bool:
    """Whether a request is answered as on the tape."""
    head = RequestHead(method, path, query, JSON)
    parties.machine.receive(
        Message(90, "http.request", head.encode(), json.dumps(body).encode()), parties.now
    )
    parties.run(50)
    return parties.machine.failure is None


def test_bodies_and_queries_of_requests_by_the_type_that_the_tape_gives_them() -> None:
    assert not ask(calling(), "POST", "/call", {**ASKED, "name": "n"})
    assert ask(calling("ignore POST /call:$.body.name"), "POST", "/call", {**ASKED, "name": "n"})
    assert not ask(calling("ignore POST /x:$.body.name"), "POST", "/call", {**ASKED, "name": "n"})
    ranged = calling("ignore POST /call:$.query.page[0]", "!ignore POST /call:$.query.page")
    assert ask(ranged, "POST", "/call", ASKED, "page=2")
    named = calling("any PATCH /assistant/{id}:$.body.name")
    assert ask(named, "PATCH", f"/assistant/{CALL}", {"name": "B"})


def test_answers_to_webhooks_by_the_type_of_the_webhook() -> None:
    for rules, fits in (
        ((), False),
        (("any tool-calls:$.body.results[0].result",), True),
        (("any status-update:$.body.results[0].result",), False),
    ):
        parties = calling(*rules)
        parties.ask("POST", "/call", ASKED)
        answer = {"results": [{"toolCallId": "t1", "result": "sun"}]}
        parties.run(100).answer(body=answer)
        assert (parties.machine.failure is None) is fits


@pytest.mark.parametrize(
    ("rule", "narrower"),
    [
        ("ignore session.update:$.session.audio", "$.session.audio.input.turn_detection.threshold"),
        ("any **.tools", "any $.session.tools[0].name"),
        ("ignore session.update:$", "$.type"),
        ("ignore $.session.*", "$.session.tools[0].name"),
        ("ignore **", "$.path"),
        ("any $.session.**", "$.session.type"),
    ],
)
def test_a_rule_for_more_than_a_value_is_refused(rule: str, narrower: str) -> None:
    with pytest.raises(RecorderError) as caught:
        openai(rule)
    message = str(caught.value)
    assert message.startswith("rules.txt:1: ")
    assert narrower in message
    assert "!" + message.removeprefix("rules.txt:1: ").split(" would")[0] in message


def test_it_is_taken_with_a_mark_of_exclamation() -> None:
    report = told(openai("!ignore session.update:$.session.audio"), audio={"output": {}})
    assert report.startswith("replay complete")


def test_one_that_leads_to_single_values_is_not_refused() -> None:
    openai("ignore **.name", "any $.session.tools.*.name", "ignore $.session.audio.x")


def test_one_about_requests_and_answers_is_refused_too() -> None:
    for rule in ("ignore POST /call:$.body", "ignore tool-calls:$.body.results", "any GET /x:**"):
        with pytest.raises(RecorderError, match="would leave out"):
            calling(rule)
