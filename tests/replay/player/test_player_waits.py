"""What the player waits for beside the socket: commands, polls, webhooks that decide an answer."""

from __future__ import annotations

from typing import Any

import pytest
from vapi_replaying import (
    ASKED,
    BOOK,
    CALL,
    VAPI,
    Parties,
    Tape,
    call,
    events,
    player,
)

from replay.script import read_script


def test_a_command_on_the_control_url_is_waited_for() -> None:
    tape = Tape().create().open().says("status-update", status="in-progress").wait(900)
    tape.ask("POST", f"/{CALL}/control", {"type": "say", "content": "Hm."}, {})
    tape.wait(200).says("speech-update", status="started", role="assistant").wait(100).close()
    parties = Parties(player(tape))
    parties.ask("POST", "/call", ASKED)
    parties.open().run(1000)
    assert parties.did[-1] == "ws status-update"
    parties.ask("POST", f"/{CALL}/control", {"type": "say", "content": "Hm."})
    assert parties.did[-1] == "ws speech-update"


def test_a_command_that_never_comes_ends_the_wait() -> None:
    tape = Tape().create().open().says("status-update", status="in-progress").wait(900)
    tape.ask("POST", f"/{CALL}/control", {"type": "end-call"}, {}).wait(10).hook("status-update")
    tape.says("status-update", status="ended").close()
    machine = player(tape, patience_s=5)
    parties = Parties(machine)
    parties.ask("POST", "/call", ASKED)
    parties.open()
    for _ in range(20):
        parties.stream(bytes(16_000))
    assert machine.failure
    assert f"did not begin POST /{CALL}/control" in machine.failure.headline


def polled(times: int) -> Tape:
    tape = Tape().create()
    for at in range(times):
        tape.wait(500).ask("GET", f"/call/{CALL}", None, call_state(at))
    return tape


def call_state(at: int) -> dict[str, Any]:
    return {"id": CALL, "cost": at}


def test_polls_may_be_more_than_on_the_tape() -> None:
    machine = player(polled(2).hook("call.deleted"))
    parties = Parties(machine)
    parties.ask("POST", "/call", ASKED)
    costs = [parties.ask("GET", f"/call/{CALL}")["cost"] for _ in range(4)]
    assert costs == [0, 1, 1, 1]
    assert machine.failure is None
    assert "note: GET /call/{id} came once more than on the tape" in machine.report()


def test_polls_may_be_fewer_and_are_waited_for() -> None:
    machine = player(polled(2), patience_s=5)
    parties = Parties(machine)
    parties.ask("POST", "/call", ASKED)
    parties.ask("GET", f"/call/{CALL}")
    parties.run(4_000)
    assert not machine.finished
    parties.run(4_000)
    assert machine.finished
    assert machine.failure is None
    assert "note: GET /call/{id} (step" in machine.report()


def test_what_was_fetched_long_after_the_call_is_not_waited_for_so_long() -> None:
    machine = player(Tape().create().wait(3_600_000).ask("GET", f"/call/{CALL}", None, {}))
    parties = Parties(machine)
    parties.ask("POST", "/call", ASKED)
    parties.run(16_000)
    assert machine.finished
    assert machine.failure is None


CHOSEN = {"assistantId": "b"}


def decided(type_: str = "assistant-request", method: str = "POST", path: str = "/call") -> Tape:
    """A request, a webhook 10 ms later that is answered after 400 ms, and 60 ms after that the
    answer to the request."""
    tape = Tape()
    tape.ask(method, path, ASKED if method == "POST" else None, call(), 201)
    last = next(at for at, take in enumerate(tape.takes) if take.kind == "http.response")
    answer = tape.takes[last:]
    del tape.takes[last:]
    tape.hook(type_, CHOSEN, ms=400)
    tape.takes.extend(take._replace(at_ms=tape.script.at_ms + 60) for take in answer)
    return tape


@pytest.mark.parametrize("speed", [None, 1.0, 4.0])
def test_an_answer_waits_for_the_webhook_that_decides_it(speed: float | None) -> None:
    machine = player(decided(), speed)
    parties = Parties(machine)
    parties.request_call().run(5_000)
    assert parties.did == ["hook assistant-request"]
    assert not machine.finished
    parties.answer(0, CHOSEN).run(1_000)
    assert parties.did == ["hook assistant-request", "http 201"]
    waited = parties.when("http 201") - 5_000
    assert waited == pytest.approx(60 / speed if speed else 0, abs=0.1)
    assert machine.finished
    assert machine.failure is None


def test_without_an_application_an_answer_takes_as_long_as_it_took() -> None:
    parties = Parties(player(decided(), 1.0, webhook_to=None))
    parties.request_call().run(1_000)
    assert parties.when("http 201") == pytest.approx(10 + 400 + 60, abs=0.1)


@pytest.mark.parametrize(
    ("type_", "method", "path"),
    [("status-update", "POST", "/call"), ("tool-calls", "GET", f"/call/{CALL}")],
)
def test_an_answer_waits_for_nothing_that_does_not_decide_it(
    type_: str, method: str, path: str
) -> None:
    parties = Parties(player(decided(type_, method, path)))
    parties.ask(method, path, ASKED if method == "POST" else None)
    assert parties.did[0] == "http 201"


def _listed() -> Any:
    return read_script(events(Tape().ask("GET", "/call", None, []).takes), VAPI, BOOK).exchanges


@pytest.mark.parametrize("is_asked", [True, False])
def test_what_followed_the_tape_is_waited_for(is_asked: bool) -> None:
    after = _listed()
    machine = player(Tape().create(), spare=after, after=after)
    parties = Parties(machine)
    parties.ask("POST", "/call", ASKED)
    parties.run(14_000)
    assert not machine.finished
    if is_asked:
        parties.ask("GET", "/call")
    parties.run(0 if is_asked else 2_000)
    assert machine.finished
    assert machine.failure is None
    assert parties.did == ["http 201", "http 200"][: 1 + is_asked]


def test_what_is_beside_the_tape_is_not_waited_for() -> None:
    machine = player(Tape().create(), spare=_listed())
    parties = Parties(machine)
    parties.ask("POST", "/call", ASKED)
    parties.run(10)
    assert machine.finished
