"""The player waits for the client, keeps the pace, and ends every wait."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from replaying import MS, Client, events, player
from tapes import Script, Take, conversation, session_object, tone

from recorder.heads import Close, ResponseHead

ITEM = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}


def typed() -> Script:
    """A typed turn: three provider messages answer two client messages."""
    script = Script().open().wait(10).provider("session.created", session=session_object())
    script.wait(100).client("conversation.item.create", item=ITEM)
    script.client("response.create")
    script.wait(200).provider("conversation.item.added", item={"id": "item_1", **ITEM})
    script.wait(50).provider("response.created", response={"id": "resp_1"})
    return script.wait(700).provider("response.done", response={"id": "resp_1"})


def spoken() -> Script:
    """A spoken turn of one second, heard after 400 and 1000 ms of audio."""
    script = Script().open().provider("session.created", session=session_object())
    script.append(tone(400))
    script.provider("input_audio_buffer.speech_started", audio_start_ms=0, item_id="item_1")
    script.append(tone(600))
    script.provider("input_audio_buffer.speech_stopped", audio_end_ms=900, item_id="item_1")
    return script.wait(100).provider("response.done", response={"id": "resp_1"})


def append(client: Client, ms: int, piece_ms: int = 20, after_ms: int = 0) -> None:
    """The next `ms` of a tone of which `after_ms` were sent."""
    sound = tone(after_ms + ms)
    for at in range(after_ms, after_ms + ms, piece_ms):
        piece = base64.b64encode(sound[48 * at : 48 * (at + piece_ms)]).decode()
        client.send("input_audio_buffer.append", audio=piece).run(piece_ms)


def test_a_message_waits_for_all_that_the_client_had_sent_before_it() -> None:
    client = Client(player(typed().close().takes)).open().run(5_000)
    assert client.types() == ["session.created"]
    client.send("conversation.item.create", item=ITEM).run(5_000)
    assert client.types() == ["session.created"]
    client.send("response.create")
    assert client.types()[1:] == ["conversation.item.added", "response.created", "response.done"]


def test_messages_come_byte_for_byte_and_in_order() -> None:
    takes = conversation()
    client = Client(player(takes)).open()
    for event in events(takes):
        if event.sender == "client" and event.kind == "ws.text":
            client.give("ws.text", event.body)
    client.close()
    recorded = [event for event in events(takes) if event.sender == "provider"]
    said = [message.body for message in client.got]
    assert said == [event.body for event in recorded if event.kind != "ws.close"]
    assert client.machine.finished
    assert client.machine.failure is None
    assert client.machine.used == client.machine.total == 32


@pytest.mark.parametrize(("speed", "factor"), [(1.0, 1.0), (20.0, 0.05)])
def test_the_pace_is_the_recorded_one_from_the_cause_on(speed: float, factor: float) -> None:
    client = Client(player(typed().close().takes, speed)).open().run(3_000)
    began = client.now
    client.send("conversation.item.create", item=ITEM)
    client.send("response.create").run(3_000)
    gaps = [at - (began - 1_000 * MS) for at in client.at[2:]]
    assert gaps == [int(ms * MS * factor) for ms in (200, 250, 950)]


def test_at_most_speed_nothing_waits_on_time() -> None:
    client = Client(player(typed().close().takes)).open()
    client.send("conversation.item.create", item=ITEM).send("response.create").close()
    assert client.now == 1_000 * MS
    assert client.machine.finished
    assert client.machine.failure is None


def test_a_client_that_runs_ahead_is_not_held_up() -> None:
    client = Client(player(typed().close().takes, 1.0)).open()
    client.send("conversation.item.create", item=ITEM).send("response.create")
    assert client.types() == []
    assert client.run(2_000).types()[-1] == "response.done"


def test_a_message_that_audio_caused_waits_for_as_much_audio() -> None:
    client = Client(player(spoken().close().takes)).open()
    append(client, 300)
    assert "input_audio_buffer.speech_started" not in client.types()
    append(client, 100, after_ms=300)
    assert client.types()[-1] == "input_audio_buffer.speech_started"
    append(client, 500, after_ms=400)
    assert client.types()[-1] == "input_audio_buffer.speech_started"
    append(client, 100, after_ms=900)
    assert client.types()[-1] == "response.done"
    client.close()
    assert client.machine.failure is None


def test_audio_may_be_cut_anywhere() -> None:
    for piece_ms in (10, 40, 250, 1000):
        client = Client(player(spoken().close().takes)).open()
        append(client, 1000, piece_ms)
        assert client.types()[-1] == "response.done"
        assert client.close().machine.failure is None


def silent(client: Client, ms: int) -> None:
    audio = base64.b64encode(bytes(48 * 20)).decode()
    for _ in range(ms // 20):
        client.send("input_audio_buffer.append", audio=audio).run(20)


def stopping() -> Script:
    """Long silence, 400 ms of speech, and the half second of silence that ends the turn."""
    script = Script().open().append(bytes(48 * 3_000)).append(tone(400)).append(bytes(48 * 500))
    return script.provider("input_audio_buffer.speech_stopped", audio_end_ms=900, item_id="i")


def test_speech_ends_with_the_silence_after_it_and_earlier_silence_is_not_waited_for() -> None:
    client = Client(player(stopping().close().takes)).open()
    append(client, 400)
    silent(client, 440)
    assert client.types() == []
    silent(client, 60)
    assert client.types() == ["input_audio_buffer.speech_stopped"]


def test_a_client_that_sends_no_silence_is_given_its_time() -> None:
    client = Client(player(stopping().close().takes)).open()
    append(client, 400)
    assert client.run(600).types() == []
    assert client.run(110).types() == ["input_audio_buffer.speech_stopped"]


def test_speech_and_silence_may_come_in_one_piece() -> None:
    client = Client(player(stopping().close().takes)).open()
    audio = base64.b64encode(tone(400) + bytes(48 * 600)).decode()
    client.send("input_audio_buffer.append", audio=audio)
    assert client.types() == ["input_audio_buffer.speech_stopped"]


def test_a_barge_in_waits_for_the_new_speech_however_much_was_said_before() -> None:
    script = Script().open().append(tone(3000)).append(bytes(48 * 500))
    script.provider("input_audio_buffer.speech_stopped", audio_end_ms=3_500, item_id="i")
    script.append(tone(100)).provider("input_audio_buffer.speech_started", item_id="j")
    client = Client(player(script.close().takes)).open()
    append(client, 3_000)
    silent(client, 2_000)
    assert client.types() == ["input_audio_buffer.speech_stopped"]
    append(client, 100)
    assert client.types()[1:] == ["input_audio_buffer.speech_started"]


def test_too_little_audio_ends_in_a_report() -> None:
    client = Client(player(spoken().close().takes, patience_s=2)).open()
    append(client, 700)
    client.run(5_000)
    assert client.machine.failure
    assert "speech_stopped waits for" in client.machine.failure.headline
    sent = 48 * 700 - tone(700).count(bytes(1))
    assert f"got       {sent} bytes" in client.machine.report()
    assert client.got[-1].kind == "ws.close"


def test_a_wait_ends_after_the_recorded_time_and_the_patience() -> None:
    client = Client(player(typed().close().takes, patience_s=3)).open().run(3_050)
    assert client.machine.failure is None
    client.run(100)  # the client of the tape took 100 ms
    assert client.machine.failure
    assert "did not send conversation.item.create (step 4): user “Hi”, within 3 s" in str(
        client.machine.failure
    )
    assert client.last()["error"]["code"] == "replay_mismatch"
    close = Close.decode(client.got[-1].body)
    assert close.code == 1008
    assert client.machine.finished


def hanging(script: Script) -> Client:
    """A client that does not close, at the end of the patience of 3 s."""
    client = Client(player(script.takes, patience_s=3)).open()
    client.send("conversation.item.create", item=ITEM).send("response.create").run(2_900)
    assert not client.machine.finished
    return client.run(200)


@pytest.mark.parametrize("script", [typed(), typed().close(1006)])
def test_a_client_that_did_not_close_on_the_tape_is_closed_in_the_end(script: Script) -> None:
    client = hanging(script)
    assert Close.decode(client.got[-1].body) == Close(1000, "end of the tape")
    assert client.machine.finished
    assert client.machine.failure is None
    assert "did not close" in client.machine.report()


@pytest.mark.parametrize("code", [1000, 1001])
def test_a_client_that_does_not_close_as_on_the_tape_fails(code: int) -> None:
    client = hanging(typed().close(code).close(code, sender="provider"))
    assert client.machine.finished
    assert Close.decode(client.got[-1].body).code == 1008
    verdict = client.machine.report().splitlines()[0]
    assert verdict == "replay failed: the client did not close; it did at step 9 on the tape"


def test_a_client_that_drops_its_connection_after_all_was_said_passes() -> None:
    client = Client(player(typed().close().takes)).open()
    client.send("conversation.item.create", item=ITEM).send("response.create").close(1006)
    assert client.machine.failure is None
    assert client.machine.finished


@pytest.mark.parametrize("code", [1000, 1001, 1013, 1006])
def test_the_provider_closes_as_it_did(code: int) -> None:
    takes = typed().wait(30).close(code, "why", "provider").takes
    client = Client(player(takes, 1.0)).open()
    client.send("conversation.item.create", item=ITEM).send("response.create").run(2_000)
    assert client.got[-1].kind == "ws.close"
    assert Close.decode(client.got[-1].body) == Close(code, "why")
    assert client.machine.finished
    assert client.machine.failure is None


def test_an_unused_rest_is_a_failure() -> None:
    client = Client(player(typed().close().takes)).open()
    client.send("conversation.item.create", item=ITEM).close()
    report = client.machine.report()
    assert client.machine.failure
    assert "replay failed: the client closed (1000) before it sent step 5 response.create" in report
    assert "unused    3 of the provider" in report
    assert "unused: next is conversation.item.added at step 6" in report
    assert "used: 1 of 4 provider messages, 1 of 2 client messages" in report


def test_a_missing_last_message_of_the_client_is_a_failure() -> None:
    takes = typed().client("response.cancel").close().takes
    client = Client(player(takes)).open()
    client.send("conversation.item.create", item=ITEM).send("response.create").close()
    assert client.machine.failure
    assert "before it sent step 9 response.cancel" in client.machine.report()


def test_what_is_on_its_way_when_the_client_closes_still_goes_out() -> None:
    script = typed().wait(20).provider("conversation.item.done", item={"id": "item_1"})
    client = Client(player(script.wait(5).close().takes, 1.0)).open().run(50)
    client.send("conversation.item.create", item=ITEM).send("response.create").run(955)
    assert client.types()[-1] == "response.done"
    client.close()
    assert client.types()[-1] == "conversation.item.done"
    assert client.machine.failure is None


def test_optional_messages_may_stay_unused() -> None:
    script = typed().wait(3_000).provider("rate_limits.updated", rate_limits=[])
    client = Client(player(script.close().takes, 1.0)).open().run(50)
    client.send("conversation.item.create", item=ITEM).send("response.create").run(1_000).close()
    assert client.types()[-1] == "response.done"
    assert client.machine.failure is None


def test_the_greeting_waits_for_nothing() -> None:
    script = Script().open().client("session.update", session={"type": "realtime"})
    script.provider("session.created", session=session_object())
    script.provider("session.updated", session=session_object())
    client = Client(player(script.close().takes)).open()
    assert client.types() == ["session.created"]


def test_a_refused_upgrade_is_refused_again() -> None:
    refusal = ResponseHead(403, "Forbidden", (("Content-Type", "application/json"),))
    script = Script()
    script.add("client", "ws.open", Script().open().takes[0].body)
    script.wait(10).add("provider", "ws.open", refusal.encode())
    script.add("provider", "http.chunk", b'{"error":{}}')
    client = Client(player(script.takes)).open()
    (answer,) = client.got
    assert ResponseHead.decode(answer.body).status == 403
    assert answer.payload == b'{"error":{}}'
    assert client.machine.finished
    assert client.machine.failure is None


def test_two_connections_play_side_by_side_each_at_its_own_gate() -> None:
    one, two = Script(1).open(), Script(2).open(query="call_id=rtc_1")
    for script in (one, two):
        script.wait(10).client("response.create").provider("response.done", response={"id": "r"})
    takes = sorted([*one.close().takes, *two.close().takes], key=lambda take: take.at_ms)
    client = Client(player(takes)).open(query="call_id=rtc_1", channel=7).open(channel=8)
    client.send("response.create", channel=8)
    assert (client.types(8), client.types(7)) == (["response.done"], [])
    client.send("response.create", channel=7).close(channel=7)
    assert not client.machine.finished
    client.close(channel=8)
    assert client.machine.finished
    assert client.machine.failure is None


def test_a_connection_that_is_never_opened_ends_the_replay() -> None:
    first = Script(1).open().close()
    takes: list[Take] = [*first.takes, *(take._replace(channel=2) for take in first.takes)]
    client = Client(player(takes, patience_s=4)).open().close()
    client.run(3_900)
    assert client.machine.failure is None
    client.run(200)
    assert client.machine.failure
    assert "did not begin GET /v1/realtime at step 4" in client.machine.failure.headline


def test_an_answer_waits_a_moment_for_a_message_that_may_be_missing() -> None:
    script = Script().open().client("response.create").provider("response.done", response={})
    script.wait(10).client("conversation.item.truncate", item_id="i", content_index=0)
    script.wait(10).provider("conversation.item.truncated", item_id="i")
    takes = script.close().takes
    quick = Client(player(takes)).open().send("response.create")
    assert quick.types() == ["response.done"]
    quick.send("conversation.item.truncate", item_id="i", content_index=0)
    assert quick.types()[-1] == "conversation.item.truncated"
    slow = Client(player(takes)).open().send("response.create").run(1_100)
    assert slow.types()[-1] == "conversation.item.truncated"
    assert slow.close().machine.failure is None
    assert "truncate (step 5) did not come in time" in slow.machine.report()


def test_a_recorded_time_bounds_the_wait_even_if_audio_was_pushed_at_once() -> None:
    """The tape pushed a second of audio in no time; a microphone needs a second for it."""
    script = Script().open()
    for _ in range(10):
        script.client("input_audio_buffer.append", audio=base64.b64encode(tone(100)).decode())
    script.client("input_audio_buffer.commit")
    script.provider("input_audio_buffer.committed", item_id="item_1")
    client = Client(player(script.close().takes, patience_s=0.5)).open()
    append(client, 1000, 100)
    client.run(400).send("input_audio_buffer.commit").close()
    assert client.machine.failure is None


def test_a_minute_of_full_duplex_audio_at_its_pace() -> None:
    """Pushed at the recorded pace, on virtual time."""
    script = Script().open()
    piece: dict[str, Any] = {"audio": base64.b64encode(tone(20)).decode()}
    for _ in range(3_000):
        script.client("input_audio_buffer.append", **piece)
        script.provider("response.output_audio.delta", item_id="i", delta=piece["audio"]).wait(20)
    client = Client(player(script.close().takes, 1.0)).open()
    for _ in range(3_000):
        client.send("input_audio_buffer.append", **piece).run(20)
    assert client.close().machine.failure is None
    assert client.machine.used == 3_000


def heard(ms: int, silence_ms: int) -> Client:
    """A client that says less than the tape, or is silent for less: compared by length."""
    script = Script().open().provider("session.created", session=session_object())
    script.append(tone(1_000)).append(bytes(48 * 400)).client("response.create")
    script.provider("response.done", response={"id": "resp_1"}).close()
    client = Client(player(script.takes, audio="duration")).open()
    append(client, ms)
    silence = base64.b64encode(bytes(48 * silence_ms)).decode()
    client.send("input_audio_buffer.append", audio=silence).send("response.create").close()
    assert client.machine.failure is None, client.machine.report()
    return client


def test_a_complete_replay_tells_of_sound_that_the_tape_has_not() -> None:
    assert "audio: the client sent 1.35 s" in heard(950, 400).machine.report()


def test_a_complete_replay_does_not_tell_of_silence() -> None:
    assert "audio:" not in heard(1_000, 300).machine.report()
