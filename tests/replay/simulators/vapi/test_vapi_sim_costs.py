"""Costs and reports of the simulated Vapi: sums, rounding, and what settles after the report."""

from __future__ import annotations

from typing import Any

import pytest
from vapi_world import SERVER, World

from recorder.audio import pcm
from recorder.trial.steps import AwaitReply, Speak, Step
from replay.simulators.common.voice import synthesise
from replay.simulators.vapi import Options

ASSISTANT: dict[str, Any] = {"firstMessage": "Hello.", "server": {"url": SERVER}}
TURN: list[Step] = [
    AwaitReply(),
    Speak(pcm.to_bytes(synthesise("I would like to know when my parcel arrives"))),
    AwaitReply(),
]


def called(assistant: dict[str, Any] = ASSISTANT) -> tuple[World, str]:
    world = World(Options(transcripts=("When does my parcel arrive?",), settle_ms=8000))
    call = world.create(assistant=assistant)
    _, speaker = world.speak(call, TURN)
    assert speaker.failed is None
    world.run(lambda: bool(world.frames[2] and world.frames[2][-1].kind == "ws.close"))
    return world, f"/call/{call['id']}"


def check_sums(document: dict[str, Any]) -> None:
    """The rounding rules over costs, breakdown and cost."""
    costs, parts = document["costs"], document["costBreakdown"]
    assert document["cost"] == parts["total"] == round(sum(one["cost"] for one in costs), 4)
    by_type = {"stt": "transcriber", "llm": "model", "tts": "voice", "vapi": "vapi"}
    for name, kind in by_type.items():
        items = [one["cost"] for one in costs if one["type"] == kind]
        assert parts[name] == round(sum(items), 4)
    vapi = next(one for one in costs if one["type"] == "vapi")
    assert vapi["cost"] == vapi["minutes"] * 0.05
    assert vapi["minutes"] == round(vapi["minutes"], 4)
    model = next(one for one in costs if one["type"] == "model")
    assert parts["llmPromptTokens"] == model["promptTokens"]
    analysed = {one["analysisType"]: one for one in costs if one["type"] == "analysis"}
    for name, item in analysed.items():
        assert parts["analysisCostBreakdown"][name] == round(item["cost"], 4)
        assert parts["analysisCostBreakdown"][f"{name}PromptTokens"] == item["promptTokens"]
    small = [parts[one] for one in by_type] + [
        parts["analysisCostBreakdown"][one] for one in ("summary", "successEvaluation")
    ]
    assert sum(small) == pytest.approx(parts["total"], abs=1e-4 * len(small))


def test_the_end_is_seen_in_three_steps() -> None:
    world, path = called()
    first = world.rest("GET", path).json
    assert (first["status"], first["cost"]) == ("in-progress", 0)
    assert not {"costs", "endedAt", "messages", "artifact"} & set(first)
    world.wait(2.95)
    reported = world.rest("GET", path).json
    assert reported["status"] == "ended"
    assert "analysis" not in {one["type"] for one in reported["costs"]}
    assert reported["analysis"]["successEvaluation"] == "true"
    world.wait(8)
    settled = world.rest("GET", path).json
    kinds = [one["analysisType"] for one in settled["costs"] if one["type"] == "analysis"]
    assert kinds == ["summary", "successEvaluation"]
    assert settled["cost"] > reported["cost"] > 0
    assert settled["updatedAt"] > reported["updatedAt"] > first["updatedAt"]
    for document in (reported, settled):
        check_sums(document)
    world.wait(100)
    again = world.rest("GET", path).json
    assert {**again, "artifact": None} == {**settled, "artifact": None}


def test_the_report_says_what_a_get_says_then() -> None:
    world, path = called()
    world.wait(3.1)
    document = world.rest("GET", path).json
    report = world.of("end-of-call-report")[0].message
    check_sums(report)
    shared = set(report) & set(document) - {"artifact", "type"}
    assert {"cost", "costs", "costBreakdown", "endedReason", "messages", "transcript"} < shared
    assert {name: report[name] for name in shared} == {name: document[name] for name in shared}
    ms = report["durationMs"]
    assert report["durationSeconds"] == ms / 1000
    assert report["durationMinutes"] == round(ms / 60_000, 4)
    assert report["call"]["status"] == "queued"
    assert report["call"]["cost"] == 0
    assert report["artifact"]["messages"] == report["messages"]
    assert report["recordingUrl"] == report["artifact"]["recording"]["mono"]["combinedUrl"]
    said = [one["message"] for one in report["messages"]]
    assert said[:2] == ["Hello.", "When does my parcel arrive?"]
    assert report["transcript"].startswith("AI: Hello.\nUser: When does my parcel arrive?\nAI: ")


def test_what_is_not_analysed_costs_nothing() -> None:
    plan = {"summaryPlan": {"enabled": False}, "successEvaluationPlan": {"enabled": False}}
    world, path = called({**ASSISTANT, "analysisPlan": plan})
    world.wait(20)
    document = world.rest("GET", path).json
    assert document["analysis"] == {}
    assert document["summary"] == ""
    assert "analysis" not in {one["type"] for one in document["costs"]}
    check_sums(document)


def test_structured_data_fit_their_schema() -> None:
    schema = {
        "type": "object",
        "properties": {"topic": {"enum": ["parcel", "bill"]}, "urgent": {"type": "boolean"}},
        "required": ["topic"],
    }
    plan = {"structuredDataPlan": {"enabled": True, "schema": schema}}
    world, path = called({**ASSISTANT, "analysisPlan": plan})
    world.wait(20)
    document = world.rest("GET", path).json
    assert document["analysis"]["structuredData"] == {"topic": "parcel", "urgent": True}
    kinds = {one.get("analysisType") for one in document["costs"]}
    assert "structuredData" in kinds
    check_sums(document)


def test_latencies_are_those_that_were_heard() -> None:
    world, path = called()
    world.wait(20)
    document = world.rest("GET", path).json
    metrics = document["artifact"]["performanceMetrics"]
    (turn,) = metrics["turnLatencies"]
    messages = document["messages"]
    heard = messages[2]["time"] - messages[1]["endTime"]
    assert abs(turn["turnLatency"] - heard) <= 1
    parts = ("modelLatency", "voiceLatency", "transcriberLatency", "endpointingLatency")
    assert sum(turn[name] for name in parts) == turn["turnLatency"]
    assert metrics["turnLatencyAverage"] == turn["turnLatency"]
    assert "numAssistantInterrupted" not in metrics


def test_a_call_without_a_recording_has_none() -> None:
    world, path = called({**ASSISTANT, "artifactPlan": {"recordingEnabled": False}})
    world.wait(20)
    document = world.rest("GET", path).json
    assert "recordingUrl" not in document
    assert "recording" not in document["artifact"]
    assert world.rest("GET", f"{path}/mono-recording").status == 404


def test_each_reading_has_fresh_signatures() -> None:
    world, path = called()
    world.wait(20)
    first = world.rest("GET", path).json["artifact"]
    world.wait(5)
    second = world.rest("GET", path).json["artifact"]
    assert first["presignedMonoUrl"] != second["presignedMonoUrl"]
    assert first["presignedMonoUrl"].startswith(first["recordingUrl"] + "?")
    assert first["recordingUrl"] == second["recordingUrl"]


def test_long_prompts_are_partly_cached() -> None:
    prompt = " ".join(["Be polite and answer in one sentence."] * 200)
    model = {
        "provider": "openai",
        "model": "gpt-4.1",
        "messages": [{"role": "system", "content": prompt}],
    }
    world = World(Options(transcripts=("One.", "Two.")))
    call = world.create(assistant={**ASSISTANT, "model": model})
    steps = [*TURN, *TURN[1:]]
    world.speak(call, steps)
    world.wait(20)
    document = world.rest("GET", f"/call/{call['id']}").json
    item = next(one for one in document["costs"] if one["type"] == "model")
    assert item["cachedPromptTokens"] % 128 == 0
    assert 1024 < item["cachedPromptTokens"] < item["promptTokens"] / 2
    fresh = item["promptTokens"] - item["cachedPromptTokens"]
    wanted = (fresh * 2 + item["cachedPromptTokens"] * 0.5 + item["completionTokens"] * 8) / 1e6
    assert item["cost"] == pytest.approx(wanted)
