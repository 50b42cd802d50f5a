"""Where a replay stands on its tape: what a refusal leaves, what a new connection goes on with."""

from __future__ import annotations

import pytest
from replaying import Client, player
from tapes import Script, Take, session_object

from recorder.heads import Close

HELLO = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello"}]}


def asked() -> Script:
    """A greeting, a question, its answer, and a second thought of the client."""
    script = Script().open().provider("session.created", session=session_object())
    script.wait(10).client("response.create")
    script.wait(10).provider("response.done", response={"id": "resp_1"})
    return script.client("response.cancel").wait(5)


def test_what_does_not_fit_leaves_its_step_unused() -> None:
    client = Client(player(asked().close().takes)).open()
    before = client.machine.steps
    client.send("response.cancel")
    assert client.machine.steps == before
    report = client.machine.report()
    assert "step 4 expected response.create, got response.cancel" in report
    assert "used: 1 of 2 provider messages, 0 of 2 client messages" in report
    assert "unused: next is response.done at step 5" in report


@pytest.mark.parametrize("path", ["/v1/elsewhere", "/v1/realtime"])
def test_a_connection_that_is_refused_uses_nothing_of_the_tape(path: str) -> None:
    """One to an unknown path, and one more than on the tape beside the one that is open."""
    client = Client(player(asked().close().takes)).open()
    before = client.machine.steps
    client.open(path, channel=2)
    assert client.machine.failure
    assert client.machine.steps == before
    assert client.types(2) == []


def test_a_tape_without_a_close_ends_with_1000() -> None:
    client = Client(player(asked().takes, patience_s=2)).open()
    client.send("response.create").send("response.cancel").run(5_000)
    assert Close.decode(client.got[-1].body) == Close(1000, "end of the tape")
    assert client.machine.failure is None
    assert client.machine.finished


def reconnected() -> list[Take]:
    """An item is made on a first connection, and deleted on a second one, opened after it."""
    first = Script(1).open().wait(10)
    first.client("conversation.item.create", item={"id": "item_one", **HELLO})
    first.provider("conversation.item.added", item={"id": "item_one"}).wait(10).close()
    second = Script(2).wait(first.at_ms + 100).open()
    second.client("conversation.item.delete", item_id="item_one").wait(10)
    second.provider("conversation.item.deleted", item_id="item_one")
    return [*first.takes, *second.close().takes]


def begun() -> Client:
    client = Client(player(reconnected())).open()
    client.send("conversation.item.create", item={"id": "live", **HELLO}).close()
    assert not client.machine.finished
    return client.open(channel=2)


def test_a_second_connection_goes_on_where_the_first_one_ended() -> None:
    client = begun().send("conversation.item.delete", channel=2, item_id="live")
    assert client.last()["item_id"] == "live"
    client.close(channel=2)
    assert client.machine.failure is None
    assert client.machine.finished


def test_ids_keep_their_meaning_over_connections() -> None:
    client = begun().send("conversation.item.delete", channel=2, item_id="another")
    assert 'expected  "live"' in client.machine.report()
