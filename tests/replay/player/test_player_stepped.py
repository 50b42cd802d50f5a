"""Mode `step`: nothing goes out before it is told to."""

from __future__ import annotations

import pytest
from replaying import Client, player
from tapes import Script, Take, session_object
from vapi_replaying import ASKED, Parties, Tape
from vapi_replaying import player as vapi_player

from recorder.errors import RecorderError
from replay.player.modes.until import parse_until


def asked() -> Script:
    """A question that is answered with three messages."""
    script = Script().open().wait(10).provider("session.created", session=session_object())
    script.wait(100).client("response.create")
    for status in ("in_progress", "completed"):
        script.wait(200).provider("response.done", response={"status": status, "n": 1, "a": [7]})
    return script.provider("rate_limits.updated", rate_limits=[])


def stepped(takes: list[Take]) -> Client:
    return Client(player(takes, 1.0, mode="step", patience_s=1.0)).open().run(20)


def step(client: Client, count: int = 1) -> list[str]:
    """What comes of stepping."""
    before = len(client.types())
    client.machine.advance(count)
    return client.run().types()[before:]


def until(client: Client, test: str) -> list[str]:
    before = len(client.types())
    client.machine.advance_until(test)
    return client.run().types()[before:]


def test_each_step_lets_one_message_go_at_once() -> None:
    client = stepped(asked().close().takes).run(60_000)
    assert [each.kind for each in client.got] == ["ws.open"], "the upgrade is answered"
    assert step(client) == ["session.created"]
    client.send("response.create").run(60_000)
    assert step(client, 2) == ["response.done", "response.done"]
    assert client.run(60_000).types()[-1] == "response.done"
    assert step(client) == ["rate_limits.updated"]
    assert client.close().machine.failure is None
    assert client.machine.finished


def test_a_step_waits_for_the_client() -> None:
    client = stepped(asked().close().takes)
    assert step(client, 2) == ["session.created"]
    assert client.machine.steps_left == 1
    assert client.send("response.create").types()[1:] == ["response.done"]
    assert client.machine.steps_left == 0


def test_a_wait_for_the_client_ends_and_one_for_a_step_does_not() -> None:
    client = stepped(asked().close().takes).run(600_000)
    assert client.machine.failure is None
    step(client)
    client.run(5_000)
    assert client.machine.failure
    assert "did not send response.create" in client.machine.failure.headline


@pytest.mark.parametrize(
    ("test", "last"),
    [
        ("response.done", "in_progress"),
        ("$.type=response.done", "in_progress"),
        ("$.response.status=completed", "completed"),
        ('$.response.status="completed"', "completed"),
        ("response.done:$.response.status=completed", "completed"),
        ("$.response.a[0]=7.0", "in_progress"),
        ("response.done:$.response", "in_progress"),
        ("$.response.a[1]", None),
        ("$.response.status.x", None),
    ],
)
def test_it_goes_on_until_a_test_holds(test: str, last: str | None) -> None:
    client = stepped(asked().close().takes).send("response.create")
    until(client, test)
    assert client.last()["type"] == ("response.done" if last else "rate_limits.updated")
    if last:
        assert client.last()["response"]["status"] == last
        assert client.machine.steps_left == 0
    else:
        assert client.machine.steps_left is None, "the test may still hold"
        client.machine.advance(0)
        assert client.machine.steps_left == 0


@pytest.mark.parametrize("text", ["", "=x", "response.done=x", "$.a.*=1", "$..=1", "$.a["])
def test_what_is_no_test_is_refused(text: str) -> None:
    with pytest.raises(RecorderError):
        parse_until(text)


@pytest.mark.parametrize("text", ["response.done", "$.a.b=1", "response.done:$.a[0]=x y", "$.a"])
def test_a_test_is_written_as_it_is_read(text: str) -> None:
    assert str(parse_until(text)) == text


def test_connections_take_steps_in_the_order_of_the_tape() -> None:
    first, second = Script(1).open(), Script(2).open()
    first.wait(300).provider("session.created", session={"id": "late"})
    second.wait(100).provider("session.created", session={"id": "early"})
    takes = sorted([*first.takes, *second.takes], key=lambda take: take.at_ms)
    client = stepped(takes).open(channel=2).run(20)
    step(client)
    assert client.last()["session"]["id"] == "early"
    step(client)
    assert client.last()["session"]["id"] == "late"


def test_webhooks_are_steps_and_answers_are_not() -> None:
    tape = Tape().create().hook("status-update").hook("hang")
    parties = Parties(vapi_player(tape, 1.0, mode="step"))
    parties.ask("POST", "/call", ASKED, 10)
    parties.run(60_000)
    assert parties.did == ["http 201"]
    parties.machine.advance_until("hang")
    assert parties.run().did == ["http 201", "hook status-update", "hook hang"]


def test_only_a_stepped_replay_is_stepped() -> None:
    with pytest.raises(RecorderError, match="its mode is causal; play it with --mode step"):
        player(asked().takes).advance()
