"""Mode `timed`: everything goes out when it did, whatever the client does. And the idle cap."""

from __future__ import annotations

from typing import Any

import pytest
from replaying import MS, Client, player
from tapes import Script, Take, session_object
from vapi_replaying import ASKED, Parties, Tape
from vapi_replaying import player as vapi_player

ITEM = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}


def asked() -> Script:
    """A question at 130 ms, answered at 330 and 2,330 ms."""
    script = Script().open().wait(10).provider("session.created", session=session_object())
    script.wait(100).client("response.create")
    script.wait(200).provider("response.created", response={"id": "resp_1"})
    return script.wait(2_000).provider("response.done", response={"id": "resp_1"}).wait(10)


def timed(takes: list[Take], speed: float = 1.0, **options: Any) -> Client:
    return Client(player(takes, speed, mode="timed", **options))


@pytest.mark.parametrize("speed", [1.0, 4.0])
def test_it_does_not_wait_for_the_client(speed: float) -> None:
    client = timed(asked().close().takes, speed).open().run(5_000)
    assert client.types() == ["session.created", "response.created", "response.done"]
    assert [at / MS * speed for at in client.at] == [20, 30, 330, 2_330]
    assert client.machine.failure is None
    assert client.send("response.create").close().machine.failure is None
    assert client.machine.finished


def test_what_never_comes_fails_at_the_end() -> None:
    client = timed(asked().close().takes, patience_s=3.0).open().run(2_400)
    assert client.machine.failure is None
    client.run(5_000)
    assert client.machine.failure
    assert "did not send response.create (step 4)" in client.machine.failure.headline


def test_what_comes_is_compared() -> None:
    client = timed(asked().close().takes).open().send("conversation.item.create", item=ITEM)
    assert client.machine.failure
    assert client.machine.failure.headline.startswith("step 4 expected response.create")


def test_a_client_that_leaves_early_fails() -> None:
    client = timed(asked().close().takes).open().send("response.create").run(400).close()
    assert client.machine.failure
    assert "before it got step 6 response.done" in client.machine.failure.headline


@pytest.mark.parametrize("waits", ["none", "answers"])
def test_webhooks_go_out_when_they_did_and_are_compared(waits: str) -> None:
    tape = Tape().create().wait(100).hook("tool-calls", {"results": []}, ms=50)
    tape.wait(100).hook("hang").wait(30)
    parties = Parties(vapi_player(tape, 1.0, mode="timed"))
    parties.ask("POST", "/call", ASKED, 10)
    parties.run(2_000)
    assert [(name, ms) for ms, name in parties.log[1:]] == [
        ("hook tool-calls", 110),
        ("hook hang", 260),
    ]
    if waits == "none":
        parties.answer(0, {"results": ["another"]})
        assert parties.machine.failure
    else:
        parties.answer(0, {"results": []}).answer(1)
        assert parties.machine.failure is None
        assert parties.machine.finished


@pytest.mark.parametrize(("mode", "speed"), [("causal", 1.0), ("timed", 1.0), ("strict", 2.0)])
def test_long_gaps_are_capped_at_playback(mode: str, speed: float) -> None:
    takes = asked().close().takes
    client = Client(player(takes, speed, mode=mode, idle_cap_s=0.5)).open().run(110)
    client.send("response.create").run(5_000)
    gaps = [(after - at) / MS * speed for at, after in zip(client.at, client.at[1:], strict=False)]
    assert gaps[-1] == 500
    assert client.close().machine.failure is None


def test_a_cap_does_not_shorten_what_the_client_may_take() -> None:
    script = asked().wait(60_000).client("response.create").wait(5)
    script.provider("response.done", response={"id": "resp_2"})
    client = Client(player(script.close().takes, 1.0, idle_cap_s=0.1, patience_s=1.0)).open()
    client.run(110).send("response.create").run(60_500).send("response.create").run(10).close()
    assert client.machine.failure is None, client.machine.report()
