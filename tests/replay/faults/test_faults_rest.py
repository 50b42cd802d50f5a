"""Faults in requests, answers and webhooks of a replay."""

from __future__ import annotations

import json
from typing import Any

import pytest
from faulting import closes, plan
from vapi_replaying import ASKED, VAPI, Parties, Tape, player

from recorder.events import Message
from recorder.heads import RequestHead, ResponseHead
from replay.faults import FaultyReplay

JSON = (("content-type", "application/json"),)


def replay(tape: Tape, *texts: str, speed: float | None = None, **options: Any) -> Parties:
    machine = player(tape, speed)
    return Parties(FaultyReplay(machine, plan(texts), VAPI, **options))  # type: ignore[arg-type]


def rest() -> Tape:
    return Tape().create().ask("GET", "/assistant/a", None, {"id": "a", "name": "Zoë"})


class Asking:
    """Requests one after the other, each on a channel of its own."""

    def __init__(self, parties: Parties) -> None:
        self.parties = parties
        self.channels = 10

    def ask(self, method: str, path: str, body: Any = None, ms: float = 0) -> list[Message]:
        """What came of a request within `ms`, without notes."""
        self.channels += 1
        payload = json.dumps(body).encode() if body is not None else b""
        head = RequestHead(method, path, "", JSON).encode()
        self.parties.give(self.channels, "http.request", head, payload).run(ms)
        came = [each for each in self.parties.got if each.channel == self.channels]
        return [each for each in came if each.kind != "note"]


def status(message: Message) -> int:
    return ResponseHead.decode(message.body).status


def test_a_refused_request_gets_the_answer_of_the_tape_when_it_is_tried_again() -> None:
    parties = replay(rest(), "refuse@POST /call status=429 nth=1 retry-after=2")
    asking = Asking(parties)
    (first,) = asking.ask("POST", "/call", ASKED)
    head = ResponseHead.decode(first.body)
    assert (head.status, dict(head.headers)["Retry-After"]) == (429, "2")
    assert json.loads(first.payload)["statusCode"] == 400  # as Vapi words an error of the client
    (again,) = asking.ask("POST", "/call", ASKED)
    assert status(again) == 201
    asking.ask("GET", "/assistant/a")
    assert parties.machine.finished
    assert parties.machine.report().startswith("replay complete\nfault: refuse@POST /call")


@pytest.mark.parametrize("code", [500, 502, 503])
def test_a_server_error_on_each_request(code: int) -> None:
    asking = Asking(replay(rest(), f"refuse@* /call* status={code}"))
    assert [status(*asking.ask("POST", "/call", ASKED)) for _ in range(3)] == [code] * 3
    assert status(*asking.ask("GET", "/assistant/a")) == 200


def test_a_lost_request_has_no_answer() -> None:
    parties = replay(rest(), "break@POST /call nth=1")
    (lost,) = Asking(parties).ask("POST", "/call", ASKED)
    assert lost.kind == "ws.close"
    assert [each.code for each in closes(parties)] == [1006]  # type: ignore[arg-type]


def test_who_does_not_try_again_is_not_blamed() -> None:
    parties = replay(rest(), "refuse@POST /call", patience_s=2)
    asking = Asking(parties)
    asking.ask("POST", "/call", ASKED)
    parties.run(200_000)
    assert parties.machine.finished
    assert parties.machine.failure is None
    assert parties.machine.report().startswith("replay ended by fault refuse@POST /call")


def test_answers_may_be_late_cut_garbled_and_slow() -> None:
    faults = (
        "delay@POST /call ms=700",
        "truncate@GET /assistant/a nth=1 bytes=5",
        "corrupt@GET /assistant/a nth=2",
        "drip@GET /assistant/a nth=3 rate=100",
    )
    asking = Asking(replay(rest(), *faults))
    assert asking.ask("POST", "/call", ASKED, 690) == []
    asking.parties.run(10)
    assert asking.parties.log[-1] == (700, "http 201")
    (cut,) = asking.ask("GET", "/assistant/a")
    assert cut.payload == b'{"id"'
    (garbled,) = asking.ask("GET", "/assistant/a")
    with pytest.raises(json.JSONDecodeError):
        json.loads(garbled.payload)
    (slow,) = asking.ask("GET", "/assistant/a")
    assert (slow.rate, json.loads(slow.payload)["name"]) == (100, "Zoë")


def hooks() -> Tape:
    """A call with three webhooks, the second of which asks for something."""
    return Tape().create().hook("status-update").hook("tool-calls", {"results": []}).hook("hang")


def sent(*faults: str, ms: float = 0, speed: float | None = None) -> Parties:
    """The webhooks that come without an answer of the application."""
    parties = replay(hooks(), *faults, speed=speed)
    Asking(parties).ask("POST", "/call", ASKED)
    return parties.run(ms)


def types(parties: Parties) -> list[str]:
    return [json.loads(each.payload)["message"]["type"] for each in parties.hooks]


def test_a_webhook_may_come_twice_and_only_the_first_answer_counts() -> None:
    parties = sent("duplicate@webhook=tool-calls")
    assert types(parties) == ["status-update", "tool-calls", "tool-calls"]
    parties.answer(1, {"results": []}).answer(2, {"results": "again"}, 409)
    assert types(parties)[-1] == "hang"
    parties.answer(0).answer(3)
    assert parties.machine.finished
    assert parties.machine.failure is None


def test_a_webhook_may_come_late_and_holds_no_other_back() -> None:
    parties = sent("delay@webhook=status-update ms=4000", ms=3_990)
    assert types(parties) == ["tool-calls"]
    assert types(parties.run(10)) == ["tool-calls", "status-update"]


def test_webhooks_may_change_places() -> None:
    assert types(sent("swap@webhook=status-update")) == ["tool-calls", "status-update"]


def test_a_webhook_that_is_lost_is_not_waited_for() -> None:
    parties = sent("drop@webhook=tool-calls")
    assert types(parties) == ["status-update", "hang"]
    parties.answer(0).answer(1)
    assert parties.machine.finished
    assert parties.machine.report().startswith("replay complete\nfault: drop@webhook=tool-calls")


def test_whatever_an_application_says_to_a_garbled_webhook_is_right() -> None:
    machine = FaultyReplay(player(hooks()), plan(["corrupt@webhook=tool-calls"]), VAPI)
    head = RequestHead("POST", "/call", "", JSON).encode()
    machine.receive(Message(1, "http.request", head, json.dumps(ASKED).encode()), 0)
    posted = [each for each in machine.due(0) if each.kind == "webhook.request"]
    assert [b"\x01" in each.payload for each in posted] == [False, True, False]
    for each, code in zip(posted, (200, 400, 200), strict=True):
        answer = ResponseHead(code, "").encode()
        machine.receive(Message(each.channel, "webhook.response", answer, b"{}"), 0)
    assert machine.finished
    assert machine.failure is None


def test_a_webhook_is_a_step_of_the_tape() -> None:
    seq = next(at for at, take in enumerate(hooks().takes, 1) if take.type == "tool-calls")
    assert types(sent(f"drop@step={seq}")) == ["status-update", "hang"]
