"""Whole calls of the simulated Vapi: greeting, turns, tools, interruption, and every way to end."""

from __future__ import annotations

import gzip
import itertools
import json
import wave
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from vapi_world import HOST, MS, SERVER, S, World, tool_answers

from recorder.audio import codec, pcm
from recorder.trial.speaker import Heard
from recorder.trial.steps import AwaitReply, Close, Interrupt, Say, Speak, Step
from recorder.trial.vapi_wording import VapiWording
from replay.simulators.common.voice import synthesise
from replay.simulators.vapi import Options

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
ASSISTANT: dict[str, Any] = {
    "name": "Desk",
    "firstMessage": "Hello, how can I help you?",
    "server": {"url": SERVER},
    "model": {
        "provider": "openai",
        "model": "gpt-4.1",
        "messages": [{"role": "system", "content": "Be kind."}],
        "tools": [WEATHER],
    },
}
ORDER, ASK, STOP = "I have a question", "What is the weather in Berlin?", "Stop please."
STORY = Options(transcripts=(ORDER + ".", ASK, STOP), replies=())


def spoken(text: str) -> bytes:
    return pcm.to_bytes(synthesise(text))


STEPS: list[Step] = [
    AwaitReply(),
    Speak(spoken(ORDER)),
    AwaitReply(),
    Speak(spoken(ASK)),
    Interrupt(900, spoken(STOP)),
    AwaitReply(),
    Close(),
]


def story(seed: int = 7, **assistant: Any) -> tuple[World, dict[str, Any], int]:
    """The whole call: the world, the created call, and its socket."""
    answer = tool_answers({"get_weather": "Sunny, 21 degrees"})
    world = World(STORY, answer, seed=seed)
    call = world.create(assistant={**ASSISTANT, **assistant})
    channel, speaker = world.speak(call, STEPS)
    assert speaker.failed is None
    world.wait(30)
    return world, call, channel


def test_the_caller_hears_the_whole_story() -> None:
    world = World(STORY, tool_answers({"get_weather": "Sunny, 21 degrees"}))
    _, speaker = world.speak(world.create(assistant=ASSISTANT), STEPS)
    greeting, echo, filler, cut, last = speaker.heard
    assert greeting == Heard("Hello, how can I help you?")
    assert ORDER in echo.text
    assert filler.text in ("Just a sec.", "Give me a moment.", "Hold on a sec.", "One moment.")
    assert cut.cut_ms is not None
    assert 900 <= cut.cut_ms < 1500
    assert last.cut_ms is None
    assert STOP in last.text
    assert "21 degrees" not in last.text


def test_text_frames_come_in_the_recorded_order() -> None:
    world, _, channel = story()
    told = [
        ".".join(
            str(one[key]) for key in ("type", "role", "status", "transcriptType") if key in one
        )
        for one in world.texts(channel)
    ]
    told = [one for one, _ in itertools.groupby(told) if not one.endswith("partial")]
    assert (
        told
        == [
            "status-update.in-progress",
            "assistant.started",
            "speech-update.assistant.started",
            "speech-update.assistant.stopped",
            "transcript.assistant.final",
            "conversation-update",
            "speech-update.user.started",
            "conversation-update",
            "transcript.user.final",
            "speech-update.user.stopped",
            "model-output",
            "voice-input",
            "speech-update.assistant.started",
            "speech-update.assistant.stopped",
            "transcript.assistant.final",
            "conversation-update",
            "speech-update.user.started",
            "conversation-update",
            "transcript.user.final",
            "speech-update.user.stopped",
            "model-output",
            "tool-calls",
            "voice-input",  # the filler
            "conversation-update",  # the tool has answered
            "speech-update.assistant.started",
            "model-output",
            "voice-input",
            "speech-update.assistant.stopped",
            "transcript.assistant.final",
            "conversation-update",
            "speech-update.assistant.started",
            "speech-update.user.started",
            "user-interrupted",
            "speech-update.assistant.stopped",
            "transcript.assistant.final",
            "conversation-update",
            "conversation-update",
            "transcript.user.final",
            "speech-update.user.stopped",
            "model-output",
            "voice-input",
            "speech-update.assistant.started",
            "speech-update.assistant.stopped",
            "transcript.assistant.final",
            "conversation-update",
        ]
        or told[36:38] == ["conversation-update", "transcript.user.final"]
    )


def test_frames_are_not_wrapped_and_partials_grow() -> None:
    world, _, channel = story()
    texts = world.texts(channel)
    assert not any({"message", "call", "timestamp"} & set(one) for one in texts)
    partials = [one for one in texts if one.get("transcriptType") == "partial"]
    finals = [one for one in texts if one.get("transcriptType") == "final"]
    assert {one["role"] for one in partials} == {"user", "assistant"}
    for earlier, later in itertools.pairwise(partials):
        same = earlier["role"] == later["role"]
        grows = later["transcript"].startswith(earlier["transcript"])
        assert grows or not same or len(later["transcript"]) < len(earlier["transcript"])
    said = [one["transcript"] for one in finals if one["role"] == "user"]
    assert said == [ORDER + ".", ASK, STOP]
    conversations = [one["conversation"] for one in texts if one["type"] == "conversation-update"]
    assert all(set(one[0]) == {"role", "content"} for one in conversations)
    for earlier_talk, later_talk in itertools.pairwise(conversations):
        assert later_talk[: len(earlier_talk)] == earlier_talk


def test_turns_count_from_the_greeting() -> None:
    world, _, channel = story()
    turns = [
        (one["role"], one["status"], one["turn"])
        for one in world.texts(channel)
        if one["type"] == "speech-update"
    ]
    assert turns[:2] == [("assistant", "started", 0), ("assistant", "stopped", 0)]
    users = [turn for role, status, turn in turns if (role, status) == ("user", "started")]
    assert users == [1, 2, 3]
    for role in ("user", "assistant"):
        mine = [(status, turn) for who, status, turn in turns if who == role]
        for (_, start), (_, stop) in zip(mine[::2], mine[1::2], strict=True):
            assert start == stop


def test_audio_is_paced_in_frames_of_20_ms() -> None:
    world, _, channel = story()
    frames = world.audio(channel)
    assert {len(one.body) for one in frames} == {640}
    gaps = [later.at - earlier.at for earlier, later in itertools.pairwise(frames)]
    assert sum(gap == 20 * MS for gap in gaps) >= len(gaps) - 6
    assert min(gaps) == 20 * MS
    greeting = b"".join(one.body for one in frames)
    wanted = pcm.resample(synthesise("Hello, how can I help you?"), 24_000, 16_000)
    assert greeting.startswith(pcm.to_bytes(wanted))


def test_an_interruption_stops_the_voice_at_once() -> None:
    world, call, channel = story()
    stop = next(
        one.at
        for one in world.frames[channel]
        if one.kind == "ws.text" and b"user-interrupted" in one.body
    )
    after = [one.at for one in world.audio(channel) if one.at >= stop]
    assert min(after) - stop >= 1 * S  # stopSpeakingPlan.backoffSeconds
    document = world.rest("GET", f"/call/{call['id']}").json
    bot = [one["message"] for one in document["messages"] if one["role"] == "bot"]
    outputs = [one["output"] for one in world.texts(channel) if one["type"] == "model-output"]
    said = " ".join(one for one in outputs if isinstance(one, str))
    assert bot[-2] in said
    assert "21 degrees" not in bot[-2]
    assert document["artifact"]["performanceMetrics"]["numAssistantInterrupted"] == 1


def test_the_tool_is_asked_on_the_server_and_its_result_is_said() -> None:
    world, call, channel = story()
    (hook,) = world.of("tool-calls")
    message = hook.message
    (asked,) = message["toolCallList"]
    assert message["toolCalls"] == [asked]
    assert asked["function"] == {"name": "get_weather", "arguments": {"city": "Berlin"}}
    assert message["toolWithToolCallList"] == [{**WEATHER, "toolCall": asked}]
    assert message["call"]["id"] == call["id"]
    stored = message["artifact"]["messages"][-1]["toolCalls"][0]
    assert json.loads(stored["function"]["arguments"]) == {"city": "Berlin"}
    document = world.rest("GET", f"/call/{call['id']}").json
    result = next(one for one in document["messages"] if one["role"] == "tool_call_result")
    assert result["toolCallId"] == asked["id"]
    assert result["result"] == "Sunny, 21 degrees"
    outputs = [one["output"] for one in world.texts(channel) if one["type"] == "model-output"]
    assert any(isinstance(one, str) and "Sunny, 21 degrees" in one for one in outputs)


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        ((500, {}), "No result returned."),
        ((200, "nonsense"), "No result returned."),
        ((200, {"results": []}), "No result returned."),
        ((0, "connection refused"), "No result returned."),
        (None, "No result returned."),
        ((200, {"error": "out of order"}), "out of order"),
    ],
)
def test_a_tool_that_fails_is_answered_all_the_same(answer: Any, result: str) -> None:
    world = World(
        Options(transcripts=(ASK,)),
        lambda message: answer if message["type"] == "tool-calls" else (200, {}),
    )
    call = world.create(assistant={**ASSISTANT, "server": {"url": SERVER, "timeoutSeconds": 8}})
    channel, speaker = world.speak(call, [AwaitReply(), Speak(spoken(ASK)), AwaitReply()])
    assert speaker.failed is None
    assert result in speaker.heard[-1].text
    hangs = [one for one in world.texts(channel) if one["type"] == "hang"]
    assert len(hangs) == (1 if answer is None else 0)


def test_fixed_messages_of_a_tool_are_said() -> None:
    messages = [
        {"type": "request-start", "content": "Let me look."},
        {"type": "request-complete", "content": "There you are."},
    ]
    model = {**ASSISTANT["model"], "tools": [{**WEATHER, "messages": messages}]}
    world = World(Options(transcripts=(ASK,)), tool_answers({"get_weather": "x"}))
    call = world.create(assistant={**ASSISTANT, "model": model})
    _, speaker = world.speak(call, [AwaitReply(), Speak(spoken(ASK)), AwaitReply()])
    assert [one.text for one in speaker.heard[1:]] == ["Let me look.", "There you are."]


@pytest.mark.parametrize(
    ("form", "rate", "size"), [("mulaw", 8000, 160), ("pcm_s16le", 44_100, 1764)]
)
def test_a_call_keeps_its_own_format(form: str, rate: int, size: int) -> None:
    world = World(Options(transcripts=("Good day.",)))
    audio = {"format": form, "container": "raw", "sampleRate": rate}
    call = world.create(
        assistant={"firstMessage": "Hello."},
        transport={"provider": "vapi.websocket", "audioFormat": audio},
    )
    assert call["transport"]["audioFormat"] == audio
    wording = VapiWording(form, rate)
    steps: list[Step] = [AwaitReply(), Speak(spoken("Good day")), AwaitReply()]
    channel, speaker = world.speak(call, steps, wording)
    assert speaker.failed is None
    assert "Good day." in speaker.heard[-1].text
    assert {len(one.body) for one in world.audio(channel)} == {size}
    sent = np.concatenate([codec.decode(f.body, wording.codec) for f in world.audio(channel)])
    assert pcm.rms_dbfs(sent) > -40


def test_recordings_hold_what_was_sent_both_ways() -> None:
    world, call, channel = story()
    document = world.rest("GET", f"/call/{call['id']}").json
    path = document["artifact"]["recording"]["stereoUrl"].removeprefix(f"http://{HOST[1]}")
    with wave.open(BytesIO(world.rest("GET", path, headers=(HOST,)).body)) as file:
        assert (file.getnchannels(), file.getframerate()) == (2, 16_000)
        lanes = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
    for lane, who in ((0, "client"), (1, "provider")):
        sent = np.concatenate([pcm.samples(f.body) for f in world.audio(channel, who)])
        loud, wanted = np.flatnonzero(lanes[:, lane]), np.flatnonzero(sent)
        assert np.array_equal(lanes[loud, lane], sent[wanted])
    started = int(world.audio(channel)[0].at - 140 * MS)
    first = int(np.flatnonzero(lanes[:, 1])[0])
    lead = int(np.flatnonzero(pcm.samples(b"".join(f.body for f in world.audio(channel))))[0])
    assert first - lead == pytest.approx(started * 16_000 / S, abs=2)


def test_the_log_appears_later() -> None:
    world, call, _ = story()
    path = f"/call/{call['id']}/call-logs"
    assert world.rest("GET", path).status == 404
    world.wait(60)
    moved = world.rest("GET", path).headers["location"].removeprefix(f"http://{HOST[1]}")
    file = world.rest("GET", moved, headers=(HOST,))
    rows = [json.loads(line) for line in gzip.decompress(file.body).splitlines()]
    events = [row["attributes"]["event"] for row in rows]
    assert events[0] == "call.transportConnected"
    assert events[-1] == "call.ended"
    assert {row["traceId"] for row in rows} == {call["id"]}
    assert [row["time"] for row in rows] == sorted(row["time"] for row in rows)


# Ends


def reason(world: World, call: dict[str, Any], **fields: Any) -> Any:
    world.wait(5)
    document = world.rest("GET", f"/call/{call['id']}").json
    assert document["status"] == "ended"
    return document["endedReason"]


def test_the_client_closes() -> None:
    world = World()
    call = world.create(assistant=ASSISTANT)
    world.speak(call, [AwaitReply()])
    assert reason(world, call) == "customer-ended-call"


def test_nobody_sends_audio() -> None:
    world = World()
    call = world.create(assistant={**ASSISTANT, "customerJoinTimeoutSeconds": 4})
    channel = world.open(f"/{call['id']}/transport")
    world.wait(4.1)
    assert world.closes[channel].code == 1000
    missed = "call.in-progress.error-assistant-did-not-receive-customer-audio"
    assert world.texts(channel)[-1] == {
        "type": "status-update",
        "status": "ended",
        "endedReason": missed,
    }
    assert reason(world, call) == missed


def test_nobody_joins() -> None:
    world = World()
    call = world.create(assistant=ASSISTANT)
    world.wait(16)
    document = world.rest("GET", f"/call/{call['id']}").json
    assert document["status"] == "queued"
    world.wait(4)
    document = world.rest("GET", f"/call/{call['id']}").json
    assert document["status"] == "ended"
    assert "startedAt" not in document
    assert document["cost"] == 0
    assert "recordingUrl" not in document


def test_both_are_silent_for_too_long() -> None:
    world = World()
    call = world.create(assistant={**ASSISTANT, "silenceTimeoutSeconds": 10})
    channel = world.open(f"/{call['id']}/transport")
    for _ in range(20):
        world.send(channel, "ws.binary", bytes(32_000))
        world.wait(1)
    assert reason(world, call) == "silence-timed-out"
    ended = next(one for one in world.frames[channel] if one.kind == "ws.close").at
    last = world.audio(channel)[-1].at
    assert 10 * S <= ended - last <= 10.1 * S


def test_the_call_reaches_its_longest_duration() -> None:
    world = World(Options(transcripts=("A.", "B.", "C.")))
    call = world.create(assistant={**ASSISTANT, "maxDurationSeconds": 10})
    turn: list[Step] = [Speak(spoken("Hello there my friend")), AwaitReply()]
    steps = [AwaitReply(), *turn * 3]
    channel, speaker = world.speak(call, steps)
    assert speaker.failed == "the call has ended: exceeded-max-duration"
    assert reason(world, call) == "exceeded-max-duration"
    document = world.rest("GET", f"/call/{call['id']}").json
    assert document["costs"][3]["minutes"] == round(10_000 / 60_000, 4)
    assert world.closes[channel].code == 1000


def test_the_assistant_says_its_last_phrase() -> None:
    world = World(Options(transcripts=("Done.",), replies=("Thank you and Goodbye now.",)))
    call = world.create(assistant={**ASSISTANT, "endCallPhrases": ["goodbye"]})
    _, speaker = world.speak(call, [AwaitReply(), Speak(spoken("Done")), AwaitReply()])
    assert speaker.heard[-1] == Heard("Thank you and Goodbye now.")
    assert reason(world, call) == "assistant-said-end-call-phrase"


def test_the_assistant_may_end_the_call_with_a_tool() -> None:
    model = {**ASSISTANT["model"], "tools": [{"type": "endCall"}]}
    world = World(Options(transcripts=("Goodbye.",)))
    settings = {**ASSISTANT, "model": model, "endCallMessage": "Take care."}
    call = world.create(assistant=settings)
    steps: list[Step] = [AwaitReply(), Speak(spoken("Goodbye")), AwaitReply(), AwaitReply()]
    _, speaker = world.speak(call, steps)
    assert speaker.heard[-1] == Heard("Take care.")
    assert reason(world, call) == "assistant-ended-call"


@pytest.mark.parametrize("through", ["socket", "control", "delete"])
def test_the_call_is_ended_from_outside(through: str) -> None:
    world = World()
    call = world.create(assistant=ASSISTANT)
    channel = world.open(f"/{call['id']}/transport")
    world.send(channel, "ws.binary", bytes(640))
    world.wait(1)
    if through == "socket":
        world.send(channel, "ws.text", b'{"type":"end-call"}')
    elif through == "control":
        done = world.rest("POST", f"/{call['id']}/control", {"type": "end-call"}, headers=(HOST,))
        assert (done.status, done.body, done.headers["connection"]) == (200, b"", "close")
    else:
        assert world.rest("DELETE", f"/call/{call['id']}").status == 200
    assert world.closes[channel].code == 1000
    wanted = "manually-canceled" if through == "delete" else "hangup-task"
    assert reason(world, call).endswith(wanted)


def test_words_can_be_put_into_the_assistant_s_mouth() -> None:
    world = World()
    call = world.create(assistant={"firstMessageMode": "assistant-waits-for-user"})
    channel = world.open(f"/{call['id']}/transport")
    world.send(channel, "ws.binary", bytes(640))
    world.wait(1)
    assert world.audio(channel) == []
    said = {"type": "say", "content": "One last thing.", "endCallAfterSpoken": True}
    control = f"/{call['id']}/control"
    assert world.rest("POST", control, said, headers=(HOST,)).status == 200
    world.wait(3)
    assert len(world.audio(channel)) > 20
    assert reason(world, call) == "assistant-ended-call-after-message-spoken"
    refused = world.rest("POST", control, {"type": "end-call"}, headers=(HOST,))
    assert refused.status == 404


def test_a_typed_message_is_answered() -> None:
    world = World(Options(replies=("Noted.",)))
    call = world.create(assistant={"firstMessage": "Hello."})
    _, speaker = world.speak(call, [AwaitReply(), Say("Remember the milk."), AwaitReply()])
    assert speaker.heard[-1] == Heard("Noted.")
    world.wait(5)
    document = world.rest("GET", f"/call/{call['id']}").json
    assert [one["message"] for one in document["messages"]] == [
        "Hello.",
        "Remember the milk.",
        "Noted.",
    ]


@pytest.mark.parametrize(
    "message",
    [
        {"type": "transfer"},
        {"type": "say"},
        {"type": "control", "control": "explode"},
        {"type": "add-message"},
        [],
    ],
)
def test_useless_control_messages_are_refused(message: Any) -> None:
    world = World()
    call = world.create(assistant=ASSISTANT)
    channel = world.open(f"/{call['id']}/transport")
    world.wait(0.2)
    control = f"/{call['id']}/control"
    assert world.rest("POST", control, message, headers=(HOST,)).status == 400
    world.send(channel, "ws.text", json.dumps(message).encode())
    world.send(channel, "ws.text", b"not json")
    assert channel not in world.closes


def test_muting_silences_one_side() -> None:
    world = World()
    call = world.create(assistant=ASSISTANT)
    channel = world.open(f"/{call['id']}/transport")
    world.wait(1)
    before = len(world.audio(channel))
    assert before > 10
    world.send(channel, "ws.text", b'{"type":"control","control":"mute-assistant"}')
    world.wait(0.5)
    assert len(world.audio(channel)) == before
    world.send(channel, "ws.text", b'{"type":"control","control":"unmute-assistant"}')
    world.wait(0.5)
    assert len(world.audio(channel)) == before + 25
    world.send(channel, "ws.text", b'{"type":"control","control":"mute-customer"}')
    world.send(channel, "ws.binary", spoken("Can you hear me now"))
    world.wait(2)
    assert not any(one.get("role") == "user" for one in world.texts(channel))


def test_short_sounds_do_not_interrupt_a_fixed_first_message() -> None:
    world = World(Options(transcripts=("Wait.",)))
    call = world.create(assistant={"firstMessage": "Hello and welcome to the front desk."})
    channel, _ = world.speak(call, [Speak(spoken("Wait a moment please")), AwaitReply()])
    types = [one["type"] for one in world.texts(channel)]
    assert "user-interrupted" not in types
    finals = [
        one["transcript"] for one in world.texts(channel) if one.get("transcriptType") == "final"
    ]
    assert finals[1] == "Hello and welcome to the front desk."


def test_sockets_nobody_waits_for_are_closed() -> None:
    world = World()
    call = world.create(assistant=ASSISTANT)
    unknown = world.open("/00000000-0000-4000-8000-000000000000/transport")
    first = world.open(f"/{call['id']}/transport")
    second = world.open(f"/{call['id']}/transport")
    assert (world.closes[unknown].code, world.closes[second].code) == (1008, 1008)
    assert first not in world.closes
    elsewhere = world.open("/somewhere/else")
    (answer,) = world.frames[elsewhere]
    assert json.loads(answer.body)["status"] == 404


def test_a_monitor_hears_both_sides() -> None:
    world = World(Options(transcripts=("Hello.",)))
    call = world.create(assistant=ASSISTANT)
    monitor = world.open(f"/{call['id']}/listen")
    channel, _ = world.speak(call, [AwaitReply(), Speak(spoken("Hello there")), AwaitReply()])
    world.wait(0.1)
    stereo = b"".join(one.body for one in world.audio(monitor))
    lanes = pcm.samples(stereo).reshape(-1, 2)
    sent = np.concatenate([pcm.samples(one.body) for one in world.audio(channel)])
    assert np.array_equal(lanes[np.flatnonzero(lanes[:, 1]), 1], sent[np.flatnonzero(sent)])
    assert pcm.rms_dbfs(np.ascontiguousarray(lanes[:, 0])) > -60
    assert world.texts(monitor)[: len(world.texts(channel))] == world.texts(channel)
    assert world.closes[monitor].code == 1000


def test_equal_seeds_give_equal_bytes() -> None:
    tapes = [story(seed)[0] for seed in (3, 3, 4)]
    assert tapes[0].sent == tapes[1].sent
    assert tapes[0].frames == tapes[1].frames
    assert tapes[0].hooks == tapes[1].hooks
    assert tapes[0].sent != tapes[2].sent


def test_two_calls_at_once_do_not_mix() -> None:
    alone = World(Options(transcripts=("Good day.",)))
    call = alone.create(assistant=ASSISTANT)
    alone.speak(call, [AwaitReply(), Speak(spoken("Good day")), AwaitReply()])
    both = World(Options(transcripts=("Good day.",)))
    first = both.create(assistant=ASSISTANT)
    second = both.create(assistant={"firstMessage": "Somebody else.", "server": {"url": SERVER}})
    other = both.open(f"/{second['id']}/transport")
    channel, _ = both.speak(first, [AwaitReply(), Speak(spoken("Good day")), AwaitReply()])
    assert [one.body for one in both.audio(channel)] == [one.body for one in alone.audio(1 + 1)]
    said = [one["transcript"] for one in both.texts(other) if one["type"] == "transcript"]
    assert said[-1] == "Somebody else."
    for hook in both.hooks:
        ids = {hook.message["call"]["id"], dict(hook.head.headers)["x-call-id"]}
        assert ids in ({first["id"]}, {second["id"]})
