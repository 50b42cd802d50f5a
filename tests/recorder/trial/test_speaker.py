"""The speaker holds whole conversations with the simulated service on a virtual clock."""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any, get_args

import numpy as np
import pytest

from recorder.audio import pcm
from recorder.errors import RecorderError
from recorder.events import Message
from recorder.heads import Close, RequestHead, ResponseHead
from recorder.trial.openai_wording import OpenAIWording
from recorder.trial.speaker import Heard, Speaker
from recorder.trial.steps import AwaitReply, Interrupt, Say, Speak, Step
from replay.simulators.common.voice import synthesise
from replay.simulators.openai import OpenAISimulator, Options

VAD = {"type": "server_vad"}
SPEECH = pcm.to_bytes(synthesise("What is the weather like in London"))
WEATHER = {
    "type": "function",
    "name": "get_weather",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}
Tape = list[tuple[int, str, Message]]


@functools.cache
def classes() -> dict[str, Any]:
    """The published types of a client's events, by name; it takes a second to load them."""
    from openai.types.realtime import RealtimeClientEvent

    union = get_args(get_args(RealtimeClientEvent)[0])
    return {get_args(one.model_fields["type"].annotation)[0]: one for one in union}


def converse(speaker: Speaker, sim: OpenAISimulator, start: int = 0) -> Tape:
    """Join the two on a virtual clock until the speaker has finished."""
    tape: Tape = []
    now = start
    while True:
        sent = speaker.due(now)
        for message in sent:
            tape.append((now, "client", message))
            sim.receive(message, now)
        answered = sim.due(now)
        for message in answered:
            tape.append((now, "provider", message))
            speaker.receive(message, now)
        if not sent and not answered:
            if speaker.finished:
                return tape
            deadlines = (speaker.next_deadline(), sim.next_deadline())
            upcoming = min(when for when in deadlines if when is not None)
            assert upcoming > now
            now = upcoming


def texts(tape: Tape, who: str) -> list[dict[str, Any]]:
    return [
        json.loads(message.body)
        for _, sender, message in tape
        if sender == who and message.kind == "ws.text"
    ]


def types(tape: Tape, who: str) -> list[str]:
    return [event["type"] for event in texts(tape, who)]


def run(
    steps: Sequence[Step],
    options: Options | None = None,
    tools: Mapping[str, Any] | None = None,
    wording: OpenAIWording | None = None,
    chunk_ms: int = 20,
) -> tuple[Speaker, Tape]:
    """A conversation whose client events all fit the published types."""
    head = RequestHead("GET", "/v1/realtime", "model=gpt-realtime", (("api-key", "k"),))
    wording = wording or OpenAIWording(turn_detection=VAD, tools=[WEATHER])
    speaker = Speaker(head, steps, wording, tools, chunk_ms=chunk_ms)
    tape = converse(speaker, OpenAISimulator(5, 1_790_000_000_000_000_000, options))
    for event in texts(tape, "client"):
        classes()[event["type"]].model_validate(event)
    return speaker, tape


def test_a_typed_turn_is_heard_to_its_end() -> None:
    speaker, tape = run([Say("Hello."), AwaitReply()], Options(replies=("Good morning.",)))
    assert speaker.failed is None
    assert speaker.heard == [Heard("Good morning.")]
    assert types(tape, "client") == [
        "session.update",
        "conversation.item.create",
        "response.create",
    ]
    first = next(now for now, _, m in tape if b'"response.output_audio.delta"' in m.body)
    kind, close = tape[-1][2].kind, Close.decode(tape[-1][2].body)
    assert (kind, close.code) == ("ws.close", 1000)
    length = len(synthesise("Good morning.")) / 24_000
    assert (tape[-1][0] - first) / 1e9 == pytest.approx(length, abs=0.01)


@pytest.mark.parametrize("chunk_ms", [20, 100])
def test_a_spoken_turn_goes_out_in_real_time_with_silence_after_it(chunk_ms: int) -> None:
    speaker, tape = run(
        [Speak(SPEECH), AwaitReply()], Options(transcripts=("Good day.",)), chunk_ms=chunk_ms
    )
    assert speaker.failed is None
    assert "Good day." in speaker.heard[0].text
    sent = [(now, m) for now, who, m in tape if who == "client" and b"buffer.append" in m.body]
    gaps = {later[0] - earlier[0] for earlier, later in itertools.pairwise(sent)}
    assert gaps == {chunk_ms * 1_000_000}
    assert len(sent) * chunk_ms > len(SPEECH) / 48 + 1000
    assert "input_audio_buffer.speech_stopped" in types(tape, "provider")


@pytest.mark.parametrize("form", ["audio/pcmu", "audio/pcma"])
def test_speech_of_another_rate_is_sent_in_the_format_of_the_session(form: str) -> None:
    samples = pcm.resample(pcm.samples(SPEECH), 24_000, 16_000)
    speaker, tape = run(
        [Speak(pcm.to_bytes(samples), 16_000), AwaitReply()],
        wording=OpenAIWording(form=form, turn_detection=VAD),
    )
    assert speaker.failed is None
    assert len(speaker.heard) == 1
    append = next(e for e in texts(tape, "client") if e["type"].endswith("append"))
    assert len(append["audio"]) == 216  # 20 ms of G.711


def test_manual_turns_are_committed_by_the_speaker() -> None:
    speaker, tape = run(
        [Speak(SPEECH), AwaitReply(), Speak(SPEECH), AwaitReply()], wording=OpenAIWording()
    )
    assert speaker.failed is None
    assert len(speaker.heard) == 2
    ends = [t for t in types(tape, "client") if not t.endswith("append")]
    assert ends[1:] == ["input_audio_buffer.commit", "response.create"] * 2


def test_a_function_round_answers_at_once_and_asks_after_the_response() -> None:
    asked: list[Mapping[str, Any]] = []

    def weather(arguments: Mapping[str, Any]) -> str:
        asked.append(arguments)
        return "Foggy, 12 degrees."

    speaker, tape = run(
        [Say("What is the weather in London?"), AwaitReply()], tools={"get_weather": weather}
    )
    assert speaker.failed is None
    assert asked == [{"city": "London"}]
    assert speaker.called[0].output == "Foggy, 12 degrees."
    assert "Foggy, 12 degrees." in speaker.heard[0].text
    order = [
        json.loads(m.body)["type"]
        for _, _, m in tape
        if m.kind == "ws.text" and b"delta" not in m.body[:60]
    ]
    done = order.index("response.function_call_arguments.done")
    output = order.index("conversation.item.create", done)
    ended = order.index("response.done")
    assert done < output
    assert "response.create" in order[ended:]
    assert "error" not in order


def test_speaking_over_a_reply_that_is_generated_truncates_what_was_not_heard() -> None:
    long = "This reply is long enough to be interrupted while it is still being made."
    speaker, tape = run(
        [Say("Hello."), Interrupt(1000, SPEECH), AwaitReply()],
        Options(pace=1.2, replies=(long, "All right."), transcripts=("Stop, please.",)),
    )
    assert speaker.failed is None
    assert [one.text for one in speaker.heard][1] == "All right."
    cut = speaker.heard[0].cut_ms
    assert cut is not None
    assert 1000 <= cut <= 1600
    truncate = next(e for e in texts(tape, "client") if e["type"].endswith("truncate"))
    assert truncate["audio_end_ms"] == cut
    statuses = [
        e["response"]["status"] for e in texts(tape, "provider") if e["type"] == "response.done"
    ]
    assert statuses == ["cancelled", "completed"]
    assert "conversation.item.truncated" in types(tape, "provider")


def test_speaking_over_a_finished_reply_truncates_by_the_play_out_clock() -> None:
    long = "This reply is long enough to be interrupted after it has been made."
    speaker, tape = run(
        [Say("Hello."), Interrupt(2000, SPEECH), AwaitReply()],
        Options(pace=20.0, replies=(long, "All right.")),
    )
    assert speaker.failed is None
    cut = speaker.heard[0].cut_ms
    assert cut is not None
    assert 2000 <= cut <= 2600
    statuses = [
        e["response"]["status"] for e in texts(tape, "provider") if e["type"] == "response.done"
    ]
    assert statuses == ["completed", "completed"]


def test_a_reply_can_be_stopped_without_speaking() -> None:
    speaker, tape = run(
        [Say("Hello."), Interrupt(500), Say("Again."), AwaitReply()],
        Options(pace=1.0, replies=("A long reply that is never heard to its end.", "Yes.")),
    )
    assert speaker.failed is None
    assert "response.cancel" in types(tape, "client")
    assert speaker.heard[0].cut_ms is not None
    assert speaker.heard[1] == Heard("Yes.")


def test_a_reply_that_was_heard_is_not_truncated() -> None:
    speaker, tape = run([Say("Hello."), AwaitReply(), Speak(SPEECH), AwaitReply()])
    assert speaker.failed is None
    assert "conversation.item.truncate" not in types(tape, "client")


def test_a_reply_too_short_to_interrupt_fails_the_script() -> None:
    speaker, _ = run([Say("Hello."), Interrupt(60_000)], Options(replies=("Hi.",)))
    assert speaker.failed == "the reply ended before 60000 ms of it could be heard"


def test_text_replies_need_no_play_out() -> None:
    speaker, _ = run(
        [Say("Hello."), AwaitReply(), Say("Again."), AwaitReply()],
        Options(replies=("One.", "Two.")),
        wording=OpenAIWording(spoken=False),
    )
    assert speaker.heard == [Heard("One."), Heard("Two.")]


@pytest.mark.parametrize(
    ("options", "steps", "failure"),
    [
        (Options(latency_ms=50_000), [Say("x"), AwaitReply(2.0)], "no reply within 2 s"),
        (
            Options(keys=frozenset({"other"})),
            [Say("x")],
            "the provider refused: Incorrect API key provided: ********.",
        ),
        (
            Options(),
            [Say("What is the weather?"), AwaitReply()],
            "the provider called get_weather, for which the script has no tool",
        ),
        (
            Options(tokens_per_minute=1),
            [Say("x"), AwaitReply()],
            "the reply failed: Rate limit reached for gpt-realtime on tokens per minute.",
        ),
    ],
)
def test_failures_are_one_clear_line(options: Options, steps: list[Step], failure: str) -> None:
    speaker, tape = run(steps, options)
    assert speaker.failed == failure
    assert speaker.finished
    assert tape[-1][2].kind == "ws.close" or tape[-2][2].kind == "ws.close"


def test_a_tool_that_breaks_fails_the_script() -> None:
    def broken(arguments: Mapping[str, Any]) -> str:
        raise ValueError("no such city")

    speaker, _ = run([Say("What is the weather?"), AwaitReply()], tools={"get_weather": broken})
    assert speaker.failed == "the tool get_weather failed: no such city"


def fresh() -> Speaker:
    speaker = Speaker(RequestHead("GET", "/v1/realtime"), [Say("x")], OpenAIWording())
    assert speaker.due(0)[0].kind == "ws.open"
    return speaker


def test_a_refused_upgrade_fails_with_its_body() -> None:
    speaker = fresh()
    head = ResponseHead(401, "Unauthorized").encode()
    speaker.receive(Message(1, "ws.open", head, b'{"error":\n "no key"}'), 1)
    assert speaker.failed == 'the upgrade was refused with status 401: {"error": "no key"}'
    assert speaker.due(2) == []
    assert speaker.next_deadline() is None


def test_a_lost_connection_and_a_silent_provider_fail() -> None:
    speaker = fresh()
    speaker.receive(Message(1, "ws.open", ResponseHead(101).encode()), 1)
    speaker.receive(Message(1, "ws.close", Close(1006).encode()), 2)
    assert speaker.failed == "the provider closed the connection: 1006"
    silent = fresh()
    deadline = silent.next_deadline()
    assert deadline == 15_000_000_000
    assert silent.due(deadline) == []
    assert silent.failed == "no answer to the upgrade within 15 s"


@pytest.mark.parametrize(
    ("body", "failure"),
    [
        (b"hello", "the provider sent a text frame that is not a JSON object"),
        (b'{"type":"response.done"}', "the provider sent a malformed response.done event"),
        (b'{"type":"error","error":[]}', "the provider sent a malformed error event"),
    ],
)
def test_nonsense_from_the_provider_fails(body: bytes, failure: str) -> None:
    speaker = fresh()
    speaker.receive(Message(1, "ws.open", ResponseHead(101).encode()), 1)
    speaker.receive(Message(1, "ws.text", body), 2)
    assert speaker.failed == failure


def test_an_unknown_format_is_refused_at_once() -> None:
    with pytest.raises(RecorderError, match="unknown audio format 'audio/mp3'; use one of"):
        OpenAIWording(form="audio/mp3")


def test_the_clock_may_start_anywhere() -> None:
    head = RequestHead("GET", "/v1/realtime", "", (("api-key", "k"),))
    speaker = Speaker(head, [Speak(SPEECH), AwaitReply()], OpenAIWording(turn_detection=VAD))
    tape = converse(speaker, OpenAISimulator(5, 0), start=987_654_321_012)
    assert speaker.failed is None
    assert np.all(np.diff([now for now, _, _ in tape]) >= 0)
