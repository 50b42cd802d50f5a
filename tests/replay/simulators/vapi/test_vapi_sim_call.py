"""Whole calls of the simulated Vapi: greeting, turns, tools, interruption, recordings."""

from __future__ import annotations

import gzip
import itertools
import json
import wave
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from vapi_sim_story import ASK, ASSISTANT, ORDER, STEPS, STOP, STORY, WEATHER, spoken, story
from vapi_world import HOST, MS, SERVER, S, World, tool_answers

from recorder.audio import codec, pcm
from recorder.trial.speaker import Heard
from recorder.trial.steps import AwaitReply, Speak, Step
from recorder.trial.vapi_wording import VapiWording
from replay.simulators.common.voice import synthesise
from replay.simulators.vapi import Options


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
