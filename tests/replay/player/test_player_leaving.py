"""The application leaves: what it may leave, and what it must not."""

from __future__ import annotations

from replaying import Client, player
from tapes import Script, Take, session_object
from vapi_replaying import ASKED, Parties, Tape
from vapi_replaying import player as vapi_player


def greeting() -> list[Take]:
    script = Script().open().provider("session.created", session=session_object())
    script.client("session.update", session={"instructions": "Short."})
    return script.provider("session.updated", session=session_object()).close().takes


def test_leaving_after_all_was_said_is_as_good_as_closing() -> None:
    client = (
        Client(player(greeting())).open().send("session.update", session={"instructions": "Short."})
    )
    assert not client.machine.finished
    client.machine.leave("the test ended", client.now)
    assert client.machine.failure is None
    assert client.machine.finished
    assert tuple(client.machine.steps) == (3, 3)


def test_leaving_in_the_middle_is_a_failure() -> None:
    client = Client(player(greeting())).open()
    client.machine.leave("the test ended", client.now)
    assert client.machine.failure
    assert "the client closed (1000)" in client.machine.failure.headline
    assert tuple(client.machine.steps) == (1, 3)


def test_leaving_before_anything_names_what_was_to_come() -> None:
    client = Client(player(greeting()))
    client.machine.leave("the test ended", client.now)
    assert client.machine.failure
    assert client.machine.failure.headline == "the test ended before GET /v1/realtime at step 1"


def test_what_may_be_missing_is_forgiven() -> None:
    tape = Tape().create().ask("GET", "/call/x", None, {})
    parties = Parties(vapi_player(tape, webhook_to=None))
    parties.ask("POST", "/call", ASKED)
    parties.machine.leave("the test ended", parties.now)
    assert parties.machine.failure is None
    assert "GET /call/x (step" in parties.machine.report()


def test_a_webhook_that_did_not_go_out_is_a_failure() -> None:
    tape = Tape().create().wait(5_000).hook("end-of-call-report", {})
    parties = Parties(vapi_player(tape, speed=1.0))
    parties.ask(
        "POST", "/call", {"assistantId": "a", "transport": {"provider": "vapi.websocket"}}, 20
    )
    parties.machine.leave("the test ended", parties.now)
    assert parties.machine.failure
    assert "the test ended before webhook end-of-call-report" in parties.machine.failure.headline


def test_the_first_failure_stays() -> None:
    client = Client(player(greeting())).open().send("response.create")
    first = client.machine.failure
    assert first
    client.machine.leave("the test ended", client.now)
    assert client.machine.failure is first
