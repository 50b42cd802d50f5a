"""A tape as a script."""

from __future__ import annotations

from replaying import MS, events, script
from tapes import Script, conversation, session_object, tone

from recorder.heads import Close
from replay.script import Planned


def planned(takes: Script) -> list[Planned]:
    return list(script(takes.takes).sockets[0].planned)


def test_each_provider_message_knows_what_came_before_it() -> None:
    steps = script(conversation()).sockets[0].planned
    assert [(step.type, step.after) for step in steps if step.type.startswith("session")] == [
        ("session.created", 0),
        ("session.updated", 1),
    ]
    assert [step.after for step in steps if step.type == "response.created"] == [1, 3]
    assert {step.loud > 0 for step in steps if "speech" in step.type} == {True}
    assert {step.loud for step in steps if "speech" not in step.type} == {0}


def test_gaps_are_measured_from_the_latest_cause() -> None:
    takes = Script().open().wait(30).provider("session.created", session=session_object())
    takes.wait(500).client("response.create").wait(70).provider("response.created", response={})
    takes.wait(9).provider("response.done", response={})
    assert [step.gap_ns for step in planned(takes)] == [30 * MS, 70 * MS, 9 * MS]


def test_audio_is_counted_in_bytes_and_may_lack_a_little() -> None:
    takes = Script().open().append(tone(1000))
    takes.provider("input_audio_buffer.speech_started", item_id="i")
    (step,) = planned(takes)
    socket = script(takes.takes).sockets[0]
    assert socket.audio == 48_000
    assert socket.byte_rate == 48_000
    loud = 48_000 - tone(1000).count(b"\0")
    assert step.loud == loud - loud // 10
    assert step.trail == 0


def test_what_may_lack_is_a_part_of_the_new_sound() -> None:
    takes = Script().open().append(tone(5000))
    takes.provider("input_audio_buffer.speech_stopped", item_id="i")
    before = 5_000 * 48 - tone(5000).count(b"\0")
    takes.append(tone(100)).provider("input_audio_buffer.speech_started", item_id="j")
    assert planned(takes)[1].loud > before


def test_only_the_silence_after_the_last_sound_counts() -> None:
    takes = Script().open().append(bytes(96_000)).append(tone(1000)).append(bytes(24_000))
    takes.wait(30).provider("input_audio_buffer.speech_stopped", item_id="i")
    (step,) = planned(takes)
    assert step.loud < 48_000
    assert 24_000 <= step.trail < 24_010
    assert step.gap_ns == 130 * MS  # since the last piece was sent


def test_an_upgrade_that_was_never_answered_is_left_out() -> None:
    takes = Script().open().takes[:1]
    assert script(takes).sockets == ()


def test_audio_of_telephones_is_counted_at_its_rate() -> None:
    audio = {"input": {"format": {"type": "audio/pcmu"}}}
    takes = Script().open().provider("session.created", session=session_object(audio=audio))
    takes.client("input_audio_buffer.append", audio="f39/f39/f39/")
    socket = script(takes.takes).sockets[0]
    assert (socket.audio, socket.byte_rate) == (9, 8_000)


def test_what_comes_after_the_close_and_pings_are_left_out() -> None:
    takes = Script().open().add("client", "ws.ping", b"x").add("provider", "ws.pong", b"x")
    takes.provider("session.created", session=session_object()).close()
    takes.provider("response.done", response={}).close(1000, "", "provider")
    assert [step.type for step in planned(takes)] == ["session.created"]


def test_a_close_of_the_provider_is_a_step_and_one_of_the_recorder_is_not() -> None:
    closed = planned(Script().open().close(1001, "expired", "provider"))
    assert [Close.decode(step.body) for step in closed] == [Close(1001, "expired")]
    assert planned(Script().open().close(1001, "stopping", "recorder")) == []


def test_ids_are_the_clients_if_it_said_them_first() -> None:
    takes = Script().open().client("conversation.item.create", item={"id": "mine"}, event_id="e1")
    takes.provider("conversation.item.added", item={"id": "mine"}, previous_item_id="theirs")
    takes.client("conversation.item.delete", item_id="theirs")
    made = script(takes.takes)
    assert made.minted == {"mine", "e1"}
    assert [step.names for step in made.sockets[0].planned] == [("mine",)]


def test_a_tape_without_a_handshake_is_opened_by_anyone() -> None:
    takes = Script().provider("session.created", session=session_object())
    socket = script(takes.takes).sockets[0]
    assert socket.request is None
    assert socket.answer.status == 101


def test_notes_of_the_recorder_are_no_part_of_it() -> None:
    takes = conversation()
    note = takes[0]._replace(channel=0, sender="recorder", kind="note", type="hole", body=b"{}")
    assert (
        script([note, *takes]).sockets[0].planned
        == script([takes[0]._replace(channel=0, sender="recorder", kind="note"), *takes])
        .sockets[0]
        .planned
    )
    assert len(events(takes)) == 57
