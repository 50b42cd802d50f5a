"""Mode `strict`: the recorded order over everything."""

from __future__ import annotations

import base64

import pytest
from replaying import MS, Client, events, player
from tapes import Script, Take, conversation, session_object, tone

from replay.player import Player

ITEM = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}


def strict(takes: list[Take], speed: float | None = None) -> Client:
    return Client(player(takes, speed, mode="strict"))


def told() -> Script:
    """Two questions; the first answer is in two messages."""
    script = Script().open().wait(10).provider("session.created", session=session_object())
    script.wait(100).client("response.create")
    script.wait(200).provider("response.created", response={"id": "resp_1"})
    script.wait(300).provider("response.done", response={"id": "resp_1"})
    script.wait(100).client("conversation.item.create", item=ITEM)
    return script.wait(50).provider("conversation.item.added", item={"id": "item_1", **ITEM})


def both(first: Script, second: Script) -> list[Take]:
    """Two connections on one tape, in the order of time."""
    return sorted([*first.takes, *second.takes], key=lambda take: take.at_ms)


def test_a_client_that_follows_the_order_passes_at_any_speed() -> None:
    for speed in (None, 1.0, 4.0):
        client = strict(conversation(), speed).open()
        start = client.now
        for event in events(conversation()):
            at = start + int(event.at_ns / (speed or 1000))
            client.run(max(0, at - client.now) / MS)
            if event.sender == "client" and event.kind == "ws.text":
                client.give("ws.text", event.body)
        client.run(10_000).close()
        assert client.machine.failure is None, client.machine.report()
        assert client.machine.used == client.machine.total


def test_gaps_are_counted_from_whatever_was_before() -> None:
    client = strict(told().close().takes, 1.0).open().run(500)
    began = client.now - 1_000 * MS
    client.send("response.create").run(5_000)
    assert [at - began for at in client.at[2:]] == [200 * MS, 500 * MS]


def test_what_comes_before_a_provider_message_that_was_before_it_is_wrong() -> None:
    def ask(mode: str) -> Player:
        client = Client(player(told().close().takes, 1.0, mode=mode)).open().run(500)
        client.send("response.create").run(250).send("conversation.item.create", item=ITEM)
        return client.machine

    assert ask("causal").failure is None
    report = ask("strict").report().splitlines()
    assert report[:4] == [
        "replay failed: step 7 conversation.item.create came before step 6 response.done",
        "  expected  step 6 response.done first",
        "  got       step 7 conversation.item.create",
        "  next      wait for it; or, if the order is a matter of timing, use --mode causal",
    ]


def test_what_is_due_by_now_is_before_what_comes_now() -> None:
    client = strict(told().close().takes, 1.0).open().run(500)
    client.send("response.create").now += 500 * MS
    client.send("conversation.item.create", item=ITEM).run(100).close()
    assert client.machine.failure is None


@pytest.mark.parametrize("mode", ["causal", "strict"])
def test_settings_at_another_place_are_right_in_causal_mode_only(mode: str) -> None:
    script = told().client("session.update", session={"instructions": "x"})
    client = Client(player(script.close().takes, mode=mode)).open()
    client.send("session.update", session={"instructions": "x"}).send("response.create")
    assert (client.machine.failure is None) == (mode == "causal")


@pytest.mark.parametrize("mode", ["causal", "strict"])
def test_a_message_waits_for_the_other_connections(mode: str) -> None:
    first, second = Script(1).open(), Script(2).open()
    first.wait(100).client("response.create")
    second.wait(200).provider("session.created", session=session_object())
    client = Client(player(both(first, second), mode=mode)).open().open(channel=2).run(1_000)
    assert client.types(2) == (["session.created"] if mode == "causal" else [])
    assert client.send("response.create").types(2) == ["session.created"]


def test_connections_are_opened_in_their_order() -> None:
    first, second = Script(1).open(), Script(2)
    second.at_ms = 500
    second.open("/v1/realtime", "model=other")
    client = strict(both(first.wait(100).client("response.create"), second)).open()
    client.open(query="model=other", channel=2)
    failure = client.machine.failure
    assert failure
    assert failure.headline == "step 4, a WebSocket came before step 3 response.create"


def pieces(pcm: bytes) -> list[str]:
    step = 48 * 100
    return [base64.b64encode(pcm[at : at + step]).decode() for at in range(0, len(pcm), step)]


def listened() -> Script:
    """Five seconds of sound; the provider reacts after one and after four."""
    script = Script().open()
    sound = tone(5_000)
    script.append(sound[:48_000]).provider("session.updated", session=session_object())
    script.append(sound[48_000 : 4 * 48_000]).provider("session.updated", session={})
    return script.append(sound[4 * 48_000 :])


def test_a_message_waits_for_the_sound_that_was_before_it() -> None:
    client = strict(listened().close().takes).open()
    for number, piece in enumerate(pieces(tone(5_000)), 1):
        client.send("input_audio_buffer.append", audio=piece)
        expected = (number >= 9) + (number >= 39)  # 100 ms may be missing
        assert len(client.types()) == expected
    assert client.close().machine.failure is None


def test_sound_may_be_two_seconds_ahead() -> None:
    script = Script().open().append(tone(1_000)).wait(500)
    script.provider("response.done", response={}).append(tone(4_000)[48_000:])
    client = strict(script.close().takes, 1.0).open().run(100)
    for number, piece in enumerate(pieces(tone(4_000)), 1):
        client.send("input_audio_buffer.append", audio=piece)
        assert (client.machine.failure is not None) == (number > 30)
    assert client.machine.failure
    assert client.machine.failure.headline.startswith("2.1 s of audio came before step")
