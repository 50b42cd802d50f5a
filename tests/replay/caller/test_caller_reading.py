"""What is read from a tape: who acted when, and what had caused it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from replaying import BOOK, OPENAI, events
from tapes import Script, Take, conversation, session_object, tone

from recorder.heads import RequestHead, ResponseHead
from replay.caller import read_plan
from replay.caller.acts import Act, Plan, SocketPlan

MS = 1_000_000


def plan(takes: Sequence[Take]) -> Plan:
    return read_plan(events(takes), OPENAI, BOOK)


def socket(takes: Sequence[Take]) -> SocketPlan:
    (entry,) = plan(takes).entries
    assert isinstance(entry.what, SocketPlan)
    return entry.what


def whats(acts: Sequence[Act]) -> list[tuple[str, int]]:
    return [(act.what, act.turn) for act in acts]


def begun() -> Script:
    return Script().open().provider("session.created", session=session_object())


def reply(script: Script, name: str, ms: int = 0) -> Script:
    """A reply with `ms` of sound, sent at ten times its pace."""
    script.provider("response.created", response={"id": f"resp_{name}"})
    if ms:
        script.speak(f"item_{name}", tone(ms))
    done = {"id": f"resp_{name}", "status": "completed", "output": []}
    return script.provider("response.done", response=done)


def test_acts_turns_results_and_the_close_are_found() -> None:
    found = socket(conversation(interrupted=True))
    assert whats(found.acts) == [
        ("say", 1),
        ("speak", 1),
        ("cut", 1),
        ("say", 2),
        ("ask", 2),
        ("close", 2),
    ]
    (result,) = found.results
    assert (result.name, result.gap_ns) == ("clock", 40 * MS)
    assert (found.closed_by, found.mores) == ("client", ())
    assert found.steps == 7


def test_what_had_come_since_the_last_question_is_the_cause() -> None:
    speak = socket(conversation()).acts[1]
    assert (speak.cue.signs["settings"], speak.cue.gap_ns) == (1, 0)
    typed = next(act for act in socket(conversation()).acts[2:] if act.what == "say")
    assert (typed.cue.begun, typed.cue.ended, typed.cue.played) == (1, 1, True)
    assert (typed.cue.signs["silence"], typed.cue.signs["speech"]) == (1, 1)


def test_who_speaks_over_a_reply_has_heard_so_much_of_it() -> None:
    script = reply(begun().client("response.create").wait(50), "a", 3000)
    script.wait(700).append(tone(400)).close()
    speak = socket(script.takes).acts[1]
    assert (speak.what, speak.turn) == ("speak", 2)
    assert speak.cue.heard_ns == (300 + 700) * MS
    assert not speak.cue.played


def test_who_waits_for_the_end_of_a_reply_acts_after_it() -> None:
    script = reply(begun().client("response.create").wait(50), "a", 3000)
    script.wait(3200).append(tone(400)).close()
    speak = socket(script.takes).acts[1]
    assert (speak.cue.heard_ns, speak.cue.played) == (None, True)
    assert speak.cue.gap_ns == (300 + 3200 - 3000) * MS


def test_a_reflex_does_not_wait_for_what_is_played() -> None:
    script = reply(begun().client("response.create").wait(50), "a", 3000)
    script.wait(20).client("conversation.item.retrieve", item_id="item_a").close()
    act = socket(script.takes).acts[1]
    assert (act.cue.heard_ns, act.cue.played, act.cue.gap_ns) == (None, False, 20 * MS)


def test_an_open_microphone_is_cut_where_something_new_is_said() -> None:
    script = begun().append(bytes(24_000))  # half a second of silence
    script.append(tone(600)).append(bytes(24_000)).append(tone(300))  # a pause in one sentence
    script.provider("input_audio_buffer.speech_stopped", item_id="item_u")
    reply(script.append(bytes(24_000)), "a", 500)
    script.append(bytes(48_000)).append(tone(400)).close()
    acts = socket(script.takes).acts
    assert whats(acts) == [("speak", 1), ("speak", 2), ("close", 2)]
    assert acts[0].stays_open
    assert acts[0].is_listened_to
    assert [sum(chunk.is_loud for chunk in act.chunks) for act in acts[:2]] == [9, 4]


def test_a_commit_follows_the_audio_before_it() -> None:
    script = begun().append(tone(300))
    script.client("input_audio_buffer.commit").client("response.create").wait(40)
    acts = socket(reply(script, "a").close().takes).acts
    assert whats(acts) == [("speak", 1), ("say", 1), ("ask", 1), ("close", 1)]
    assert acts[1].after == acts[0].chunks[-1].seq
    assert acts[1].cue.gap_ns == 100 * MS
    assert not acts[0].stays_open


def test_the_provider_s_ids_in_what_the_client_says_are_known() -> None:
    script = begun().provider("conversation.item.added", item={"id": "item_x", "type": "message"})
    script.client("conversation.item.create", item={"id": "item_mine", "type": "message"})
    script.client("conversation.item.delete", item_id="item_x").close()
    acts = socket(script.takes).acts
    assert [act.names for act in acts] == [(), ("item_x",), ()]
    key = (0, "conversation.item.added", "item")
    assert socket(script.takes).ids[key] == ("item_x",)


def test_calls_whose_audio_went_past_the_tape_are_left_out() -> None:
    offer = _ask(1, "/v1/realtime/calls", "application/sdp", b"v=0\r\n")
    sideband = Script(2)
    sideband.at_ms = 100
    sideband.open(query="call_id=rtc_1").close()
    found = plan([*offer, *sideband.takes])
    assert found.entries == ()
    assert found.skipped == (
        "POST /v1/realtime/calls: its audio is not on the tape",
        "the socket that joins a call at /v1/realtime",
    )


def test_an_entry_waits_for_those_that_were_over() -> None:
    first = _ask(1, "/v1/realtime/client_secrets", "application/json", b"{}")
    script = Script(2)
    script.at_ms = 130
    script.open().provider("session.created", session=session_object()).close()
    found = plan([*first, *script.takes])
    assert [entry.after for entry in found.entries] == [(), (0,)]
    assert [entry.gap_ns for entry in found.entries] == [0, 90 * MS]
    assert found.round_trip_ns == 20 * MS


def _ask(channel: int, path: str, kind: str, body: bytes) -> list[Take]:
    name = f"POST {path}"
    head = RequestHead("POST", path, "", (("content-type", kind),)).encode()
    answer = ResponseHead(201, "Created").encode()
    rows: list[tuple[float, Any, Any, str, bytes]] = [
        (0, "client", "http.request", name, head),
        (0, "client", "http.chunk", name, body),
        (0, "client", "http.chunk", name, b""),
        (40, "provider", "http.response", "201", answer),
        (40, "provider", "http.chunk", name, b""),
    ]
    return [Take(at, channel, sender, what, type_, data) for at, sender, what, type_, data in rows]
