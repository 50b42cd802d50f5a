"""The same kinds of checks over a call of another provider, whose events are webhooks, too."""

from __future__ import annotations

import json
from typing import Any

import pytest
from checking import judge, tape
from vapi_replaying import CALL, VAPI, Tape

from recorder.report.junit import Outcome


def a_call() -> Tape:
    made = Tape().create().open().wait(100)
    made.says("status-update", status="in-progress")
    made.says("speech-update", status="started", role="user", turn=0).wait(900)
    made.says("speech-update", status="stopped", role="user", turn=0)
    said = {"role": "user", "transcriptType": "final", "transcript": "Weather in Paris?"}
    made.says("transcript", **said).wait(300)
    tell(made, "tool-calls", toolCallList=[called("get_weather", {"city": "Paris"})]).wait(200)
    made.says("speech-update", status="started", role="assistant", turn=1)
    said = {"role": "assistant", "transcriptType": "final", "transcript": "It is seven degrees."}
    made.says("transcript", **said).wait(900)
    made.says("speech-update", status="stopped", role="assistant", turn=1)
    tell(made, "status-update", status="ended", endedReason="customer-ended-call")
    return made.close().ask("GET", f"/call/{CALL}", None, {"id": CALL, "status": "ended"})


def called(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {"id": "call_1", "type": "function", "function": function}


def tell(made: Tape, type_: str, **fields: Any) -> Tape:
    """A webhook with more than its type."""
    before = len(made.takes)
    made.hook(type_, {"results": [{"toolCallId": "call_1", "result": "7 degrees"}]}, ms=150)
    for at in range(before, len(made.takes)):
        take = made.takes[at]
        if take.kind == "http.chunk" and take.sender == "provider" and take.body:
            message = json.loads(take.body)
            message["message"] |= fields
            made.takes[at] = take._replace(body=json.dumps(message).encode())
    return made


CALLED = tape(a_call().takes, VAPI)


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ('event = "tool-calls"\nwhere = { "message.toolCallList[0].id" = "call_1" }', "pass"),
        ('event = "tool-calls"\nsender = "client"\nwhere = { "results[0].result" = "no" }', "fail"),
        ('event = "POST /call"\nsender = "client"', "pass"),
        ('no_event = "hang"', "pass"),
        ('calls = "get_weather"\nargs = { city = "Paris" }', "pass"),
        ('calls = "get_weather"\nargs = { city = "Rome" }', "fail"),
        ('says = "seven degrees"', "pass"),
        ('says = "weather"\nby = "user"\nturn = 1', "pass"),
        ("answered_within_ms = 160", "pass"),
        ("answered_within_ms = 140", "fail"),
        ('ended_reason = "customer-*"', "pass"),
        ("turns = 1", "pass"),
        ("cost_usd = { max = 1 }", "inconclusive"),
    ],
)
def test_a_call_is_judged_as_any_conversation(text: str, outcome: Outcome) -> None:
    verdict = judge(text, CALLED)
    assert verdict.outcome == outcome, verdict
