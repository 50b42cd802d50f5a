"""The simulated GPT-Live holds a conversation: turns, interruptions, work, appends, the end."""

from __future__ import annotations

import base64
import json
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from live_client import BACKEND, MS, QUICK, Client, noise, silence

from recorder.audio import pcm
from replay.simulators.openai_live import Options

LONG = "This is a long answer that goes on and on for quite some time so that one can cut in."


def is_silent(frame: bytes) -> bool:
    return not any(frame)


def quick(**options: Any) -> Options:
    return Options(**{**QUICK, **options})


def call_of(client: Client, place: int = 0) -> dict[str, Any]:
    found = [
        each["event"]["item"]
        for each in client.of("response.event")
        if each["event"]["type"] == "response.output_item.done"
        and each["event"]["item"]["type"] == "function_call"
    ]
    item: dict[str, Any] = found[place]
    return item


def answer(client: Client, call: str, output: str = "mild") -> None:
    item = {"type": "function_call_output", "call_id": call, "output": output}
    client.send("response.item.create", item=item)


def test_output_never_pauses_and_is_zero_samples_while_nobody_speaks() -> None:
    client = Client().start()
    client.quiet(3000)
    frames = client.frames()
    assert {len(frame) for frame in frames} == {4800}
    assert all(map(is_silent, frames))
    outputs = [at for at, event in client.timed() if event["type"].endswith(".delta")]
    assert {after - before for before, after in pairwise(outputs)} == {100 * MS}
    assert outputs[0] == 1100 * MS  # 700 after the first audio
    assert len(frames) == 24


@pytest.mark.parametrize(
    ("form", "rate", "size"),
    [
        ({"type": "audio/pcm", "rate": 16000}, 16_000, 3200),
        ({"type": "audio/pcmu", "rate": 8000}, 8_000, 800),
        ({"type": "audio/pcma", "rate": 8000}, 8_000, 800),
    ],
)
def test_the_format_holds_for_both_directions(form: dict[str, Any], rate: int, size: int) -> None:
    client = Client(quick(replies=("Hello.",))).start(audio={"format": form})
    loud, quiet = noise(600, rate), silence(3000, rate)
    if form["type"] != "audio/pcm":
        from recorder.audio import g711

        coded = g711.encode_ulaw if form["type"] == "audio/pcmu" else g711.encode_alaw
        data = coded(np.concatenate((loud, quiet)))
    else:
        data = pcm.to_bytes(np.concatenate((loud, quiet)))
    for place in range(0, len(data), size):
        client.append(data[place : place + size])
        client.wait(100)
    assert {len(frame) for frame in client.frames()} == {size}
    assert client.said() == "Hello."


def test_a_spoken_turn_is_transcribed_in_steps_and_answered_aloud() -> None:
    client = Client(quick(transcripts=("Good morning to you.",), replies=("Hello there.",))).start()
    client.turn(1500, 4000)
    assert client.heard() == "Good morning to you."
    assert client.said() == "Hello there."
    pieces = client.of("session.input_transcript.delta")
    assert [piece["start_ms"] % 200 for piece in pieces] == [0] * len(pieces)
    assert {piece["end_ms"] - piece["start_ms"] for piece in pieces} == {200}
    assert pieces[-1]["end_ms"] <= 1600
    loud = [at for at, frame in enumerate(client.frames()) if not is_silent(frame)]
    assert loud == list(range(loud[0], loud[-1] + 1))
    # the turn ends at 1500, is known at 2000, answered 100 ms later, in the next frame
    assert loud[0] * 100 + 700 == pytest.approx(2100, abs=100)


def test_words_come_before_their_sound() -> None:
    client = Client(quick(replies=("Hello there.",))).start()
    client.turn(800, 3000)
    types = [event["type"].split(".")[1] for event in client.events if "output_" in event["type"]]
    first = types.index("output_transcript")
    frames = client.frames()
    assert all(map(is_silent, frames[:first]))
    assert not is_silent(frames[first])


def test_the_model_stops_when_it_is_talked_over() -> None:
    client = Client(quick(replies=(LONG, "Yes?"), yield_ms=400)).start()
    client.turn(800, 2000)
    before = client.now
    client.turn(1500, 3000)
    loud = [
        (at - before) // MS
        for at, event in client.timed()
        if event["type"] == "session.output_audio.delta"
        and at > before
        and not is_silent(base64.b64decode(event["delta"]))
    ]
    talked_over = [at for at in loud if at < 1500]
    assert 300 <= talked_over[-1] <= 500
    assert client.said().startswith("This is a")
    assert client.said().endswith("Yes?")
    assert LONG not in client.said()


def test_a_word_in_between_does_not_stop_it() -> None:
    client = Client(quick(replies=(LONG, "Never said."))).start()
    client.turn(800, 1500)
    client.hear(np.concatenate((noise(500), silence(2000), noise(200), silence(6000))))
    assert client.said() == LONG


@pytest.mark.parametrize("chunk_ms", [20, 900])
def test_a_cough_is_no_turn(chunk_ms: int) -> None:
    client = Client(quick(replies=("Hello.",), transcripts=("Good morning.",))).start()
    client.hear(np.concatenate((noise(200), silence(2500))), chunk_ms)
    assert (client.heard(), client.said()) == ("", "")
    client.turn(900, 2500)
    assert (client.heard(), client.said()) == ("Good morning.", "Hello.")


def test_a_pause_that_is_none_joins_what_was_said() -> None:
    script = quick(latency_ms=600, transcripts=("My name is", "Robin."))
    client = Client(script).start()
    client.hear(np.concatenate((noise(700), silence(700), noise(500), silence(4000))))
    assert "My name is Robin." in client.said()


def test_without_audio_it_does_not_speak_and_appends_stay_pending() -> None:
    client = Client(quick()).start()
    client.send("session.commentary.append", event_id="c1", content="Hello.", delegation_id=None)
    client.wait(5000)
    assert client.types() == ["session.started"]
    client.quiet(1000)
    [ack] = client.of("session.commentary.appended")
    assert ack["client_event_id"] == "c1"
    assert (ack["start_ms"], ack["end_ms"]) == (0, 200)
    client.quiet(2000)
    assert client.said() == "Hello."


def test_appends_of_three_kinds() -> None:
    client = Client(quick(replies=("Hi, I am here.",))).start()
    for kind in ("thinking", "instructions"):
        content = "Greet the user." if kind == "instructions" else "It rains."
        client.send(f"session.{kind}.append", event_id=kind, content=content, delegation_id=None)
    client.quiet(3000)
    acked = [each for each in client.events if each["type"].endswith(".appended")]
    assert [each["client_event_id"] for each in acked] == ["thinking", "instructions"]
    assert client.said() == "Hi, I am here."


def test_instructions_cut_what_is_being_said() -> None:
    client = Client(quick(replies=(LONG,))).start()
    client.turn(800, 1500)
    client.send("session.instructions.append", content="Be brief.", delegation_id=None)
    client.quiet(3000)
    assert all(map(is_silent, client.frames()[-20:]))
    assert client.said() != LONG


def test_mute_is_silence_and_output_goes_on() -> None:
    client = Client(quick()).start()
    client.send("session.input_audio.mute", event_id="m")
    client.turn(1000, 2000)
    frames = len(client.frames())
    client.send("session.input_audio.unmute", event_id="u")
    client.turn(1000, 2000)
    acks = [each for each in client.events if each["type"].endswith("muted")]
    assert [each["client_event_id"] for each in acks] == ["m", "u"]
    assert frames > 20
    assert len(client.of("session.input_transcript.delta")) > 0
    assert client.of("session.input_transcript.delta")[0]["start_ms"] >= 3000


def test_a_delegated_round_with_a_tool() -> None:
    client = Client(quick(transcripts=("Is the weather good in Paris?",))).start(delegation=BACKEND)
    client.turn(1500, 2500)
    assert client.types()[1:8] == [
        "session.delegation.created",
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.function_call_arguments.done",
        "response.output_item.done",
        "response.completed",
    ]
    item = call_of(client)
    assert json.loads(item["arguments"]) == {"city": "Paris"}
    answer(client, item["call_id"], "sunny")
    client.send("response.create")
    client.quiet(8000)
    delegation = client.of("session.delegation.created")[0]["delegation"]
    nested = client.of("response.event")
    assert {each["delegation_id"] for each in nested} == {delegation["id"]}
    created = [e["event"]["response"] for e in nested if e["event"]["type"] == "response.created"]
    assert created[0]["id"] == delegation["response_id"]
    assert created[1]["previous_response_id"] == created[0]["id"]
    for response in created:
        own = [e["event"]["sequence_number"] for e in nested]
        assert own.count(0) == 2
        assert (response["output"], response["tools"], response["instructions"]) == ([], [], None)
    assert "sunny" in client.said()
    assert client.said().startswith("One moment")


def test_a_wish_to_go_on_waits_for_the_response_under_way() -> None:
    client = Client(quick(transcripts=("The weather in Paris.",))).start(delegation=BACKEND)
    client.turn(1500, 600)
    while not client.of("response.event") or "response.output_item.done" not in client.types():
        client.quiet(20)
    answer(client, call_of(client)["call_id"])
    client.send("response.create")
    client.quiet(3000)
    types = client.types()
    assert types.count("response.created") == types.count("response.completed") == 2
    assert types.index("response.completed") < len(types) - 1 - types[::-1].index(
        "response.created"
    )


def test_the_backend_does_not_go_on_without_a_result() -> None:
    client = Client(quick(transcripts=("The weather in Paris.",))).start(delegation=BACKEND)
    client.turn(1500, 2500)
    client.send("response.create", event_id="soon")
    assert client.error()["client_event_id"] == "soon"
    assert call_of(client)["call_id"] in client.error()["message"]
    answer(client, "call_other")
    assert "call_other" in client.error()["message"]


def test_a_repeated_result_is_accepted_in_silence() -> None:
    client = Client(quick(transcripts=("The weather in Paris.",))).start(delegation=BACKEND)
    client.turn(1500, 2500)
    for output in ("mild", "wild"):
        answer(client, call_of(client)["call_id"], output)
    client.send("response.create")
    client.quiet(6000)
    assert "mild" in client.said()
    assert not client.of("error")


def test_typed_work_names_the_wish() -> None:
    client = Client(quick(replies=("It is noon.",))).start(delegation=BACKEND)
    content = [{"type": "input_text", "text": "What time is it?"}]
    client.send(
        "response.item.create", item={"type": "message", "role": "user", "content": content}
    )
    client.send("response.create", event_id="typed")
    client.quiet(4000)
    [created] = client.of("session.delegation.created")
    assert created["client_event_id"] == "typed"
    assert client.said() == "It is noon."


def test_work_for_the_client() -> None:
    client = Client(quick(transcripts=("What is my balance?",))).start(
        delegation={"type": "client"}
    )
    client.turn(1200, 2500)
    [created] = client.of("session.delegation.created")
    name = created["delegation"]["id"]
    assert "response_id" not in created["delegation"]
    client.send("session.thinking.append", content="Asked the bank.", delegation_id=name)
    client.send("session.commentary.append", content="It is ten euros.", delegation_id=name)
    client.quiet(4000)
    assert client.said().endswith("It is ten euros.")
    client.send("session.commentary.append", content="No.", delegation_id="item_unknown")
    assert client.error()["param"] == "delegation_id"


def test_usage_is_cumulative_and_told_once_a_minute() -> None:
    client = Client().start()
    client.hear(silence(125_000), chunk_ms=100)
    told = [each["usage"]["seconds"] for each in client.of("session.usage.updated")]
    assert told == [60.0, 120.0]
    client.send("session.close", event_id="bye")
    client.wait(1000)
    closed = client.events[-1]
    assert closed["usage"]["seconds"] == 125.0
    assert closed["client_event_id"] == "bye"
    assert closed["reason"] == "close_requested"
    assert client.close is not None
    assert client.close.code == 1000


def test_what_is_left_at_the_close() -> None:
    client = Client(quick(transcripts=("The weather in Paris.",))).start(delegation=BACKEND)
    client.turn(1500, 700)  # a response is being written
    client.send("session.commentary.append", event_id="late", content="Bye.", delegation_id=None)
    client.send("session.close")
    refused = client.error()
    assert (refused["code"], refused["client_event_id"]) == ("session_closing", "late")
    client.send("response.create", event_id="after")
    assert client.error()["client_event_id"] == "after"
    client.wait(3000)
    types = client.types()
    assert types.index("response.completed") < types.index("session.closed")
    assert types[-1] == "session.closed"


def test_a_session_expires() -> None:
    client = Client(Options(session_s=3)).start()
    assert client.events[0]["session"]["expires_at"] == 1_790_000_000 + 3
    client.quiet(4000)
    assert client.events[-1]["reason"] == "expired"
    assert client.close is not None


def test_a_fixture_is_played_and_input_dropped_meanwhile() -> None:
    client = Client(quick()).start()
    client.quiet(1000)
    audio = base64.b64encode(pcm.to_bytes(noise(1000))).decode()
    client.send("session.output_audio.fixture.play", event_id="f", audio=audio)
    client.send("session.thinking.append", event_id="t", content="x", delegation_id=None)
    assert client.error()["client_event_id"] == "t"
    client.turn(1000, 2000)
    assert client.of("session.output_audio.fixture.playing")[0]["client_event_id"] == "f"
    assert len(client.of("session.output_audio.fixture.played")) == 1
    assert not client.of("session.input_transcript.delta")
    assert pcm.to_bytes(noise(1000)) in b"".join(client.frames())


def test_equal_seeds_answer_equal_input_alike() -> None:
    def talk(seed: int) -> list[bytes]:
        client = Client(seed=seed).start(delegation=BACKEND)
        client.turn(1500, 3000)
        return client.raw

    assert talk(3) == talk(3)
    assert talk(3) != talk(4)
