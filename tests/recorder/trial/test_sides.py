"""One scenario, both providers: what each is told, what it cannot express, what it hears."""

from __future__ import annotations

import base64
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rehearsal import Rehearsal, rehearse
from scenes import clips, scenario

from recorder.audio.pcm import resample, samples
from recorder.errors import RecorderError
from recorder.trial.rendering import Renderer, cache_folder
from recorder.trial.scenario import Scenario, read_scenario
from recorder.trial.sides import SIDES, side

FOLDER = Path(__file__).parents[3] / "fixtures" / "scenarios"
PROVIDERS = tuple(SIDES)
SPEAKS = ('speaks_first = "user"', 'speaks_first = "agent"')
VOICE = "voice = { provider"
FIRST = ('instructions = "You', 'first_message = "Hello."\ninstructions = "You')


def settings(provider: str, made: Scenario) -> dict[str, Any]:
    return side(provider).compile(made).settings


def test_openai_is_told_in_a_session_update() -> None:
    made = settings("openai", scenario())
    assert made["model"] == "gpt-realtime"
    session = made["session"]
    assert session["instructions"] == "You book tables."
    assert [tool["name"] for tool in session["tools"]] == ["book_table"]
    assert session["audio"]["output"]["voice"] == "marin"
    assert session["audio"]["output"]["format"] == {"type": "audio/pcm", "rate": 24_000}
    assert session["audio"]["input"]["turn_detection"]["type"] == "server_vad"


def test_vapi_is_told_in_an_assistant_of_the_call() -> None:
    made = settings("vapi", scenario())
    assistant = made["assistant"]
    assert assistant["firstMessageMode"] == "assistant-waits-for-user"
    assert "firstMessage" not in assistant
    assert assistant["model"]["messages"] == [{"role": "system", "content": "You book tables."}]
    assert [tool["function"]["name"] for tool in assistant["model"]["tools"]] == ["book_table"]
    assert assistant["voice"] == {"provider": "vapi", "voiceId": "Elliot"}
    assert assistant["backgroundSound"] == "off"
    assert made["transport"]["audioFormat"]["sampleRate"] == 16_000


def test_who_speaks_first_is_told() -> None:
    made = scenario(SPEAKS, FIRST)
    assistant = settings("vapi", made)["assistant"]
    assert assistant["firstMessageMode"] == "assistant-speaks-first"
    assert assistant["firstMessage"] == "Hello."
    greeted = rehearse(made, clips(made), "openai")
    asked = [json.loads(body) for body in greeted.sent("ws.text")[:2]]
    assert [each["type"] for each in asked] == ["session.update", "response.create"]
    assert "Hello." in asked[1]["response"]["instructions"]


@pytest.mark.parametrize(
    ("provider", "change", "lacking"),
    [
        ("openai", ('error = "unavailable"', "status = 503"), "tool status: there is no HTTP"),
        ("openai", ('say = "Wait, please."', 'dtmf = "1"'), "dtmf: sent as tones"),
        ("vapi", ('say = "Wait, please."', 'dtmf = "1"'), "dtmf: sent as tones"),
    ],
)
def test_what_a_provider_cannot_express_is_told(
    provider: str, change: tuple[str, str], lacking: str
) -> None:
    plain = side(provider).compile(scenario()).lacking
    assert not any(line.startswith(lacking) for line in plain)
    told = side(provider).compile(scenario(change)).lacking
    assert any(line.startswith(lacking) for line in told)


@pytest.mark.parametrize(
    ("provider", "change", "told"),
    [
        ("openai", ('voice = "marin"', 'session = { instructions = "x" }'), "agent.instructions"),
        ("openai", ('voice = "marin"', "tempo = 2"), "unknown key 'tempo'; valid are model"),
        ("vapi", (VOICE, f'firstMessage = "x"\n{VOICE}'), "agent.first_message decides it"),
        ("vapi", (VOICE, f"model = {{ tools = [] }}\n{VOICE}"), "agent.tools decides it"),
    ],
)
def test_a_provider_table_cannot_undo_what_is_common(
    provider: str, change: tuple[str, str], told: str
) -> None:
    with pytest.raises(RecorderError) as refused:
        side(provider).compile(scenario(change))
    assert told in str(refused.value)


def heard(run: Rehearsal, provider: str) -> np.ndarray[Any, Any]:
    """All that the provider was sent of the caller's audio."""
    if provider == "vapi":
        return samples(b"".join(run.sent("ws.binary")))
    appended = (json.loads(body) for body in run.sent("ws.text"))
    pieces = [
        base64.b64decode(event["audio"])
        for event in appended
        if event["type"].endswith("append") and "audio" in event
    ]
    return samples(b"".join(pieces))


def test_both_hear_the_same_sample_for_sample() -> None:
    made = scenario()
    sound = clips(made)
    for provider in PROVIDERS:
        lane = heard(rehearse(made, sound, provider), provider)
        rate = side(provider).RATE
        for clip in sound.values():
            wanted = resample(samples(clip.pcm), 24_000, rate)
            wanted = wanted[: np.flatnonzero(wanted)[-1] + 1]
            assert place(wanted, lane) is not None, provider


def place(wanted: np.ndarray[Any, Any], lane: np.ndarray[Any, Any]) -> int | None:
    """Where a sound stands in a lane, unchanged."""
    first = int(np.flatnonzero(wanted)[0])
    for start in np.flatnonzero(lane == wanted[first]) - first:
        if start >= 0 and np.array_equal(lane[start : start + wanted.size], wanted):
            return int(start)
    return None


@cache
def shipped(name: str) -> tuple[Scenario, Any]:
    path = FOLDER / f"{name}.toml"
    made = read_scenario(path.read_text(), path.name)
    return made, Renderer(cache_folder({"HOME": "/tmp"})).render(made, FOLDER)


@cache
def rehearsed(name: str, provider: str) -> Rehearsal:
    """A shipped file, unedited."""
    return rehearse(*shipped(name), provider)


NAMES = sorted(path.stem for path in FOLDER.glob("*.toml"))


@pytest.mark.parametrize("name", ["backchannel-noise", "barge-in"])
def test_what_one_heard_is_what_the_other_heard_at_its_rate(name: str) -> None:
    _, sound = shipped(name)
    ours, theirs = (heard(rehearsed(name, each), each) for each in ("openai", "vapi"))
    for clip in sound.values():
        spoken = samples(clip.pcm)
        at = place(spoken[: np.flatnonzero(spoken)[-1] + 1], ours)
        assert at is not None
        got = resample(ours[at : at + spoken.size], 24_000, 16_000)
        assert place(got[: np.flatnonzero(got)[-1] + 1], theirs) is not None


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("name", NAMES)
def test_the_prototype_holds_its_conversations(name: str, provider: str) -> None:
    made, run = shipped(name)[0], rehearsed(name, provider)
    assert run.party.failed is None
    assert run.triggers == [(turn.number, "anchor") for turn in made.turns]
    if name == "booking-correction":
        assert [args["day"] for _, args in run.calls] == ["Friday", "Saturday"]
        assert "R-18" in run.said[-1]
    if name == "barge-in":
        assert [args["party_size"] for _, args in run.calls] == [4]
        # the voice of GPT-Live falls silent by itself: nothing is cut by the client
        assert any(each.cut_ms for each in run.speaker.heard) == (provider != "openai-live")
    if name == "slow-failing-tools":
        assert [made.error is None for made in run.doubles.made] == [True, False, True]
        assert "R-41" in run.said[-1]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_anchor_that_does_not_come_is_a_timeout(provider: str) -> None:
    at = (
        'after = "agent_speech_start", delay_ms = 700, timeout_ms = 8000',
        'after = "tool_call:book_table", timeout_ms = 3000',
    )
    made = scenario(at, ('say = "Book a table on Monday."', 'say = "Good morning."'))
    run = rehearse(made, clips(made), provider)
    assert run.triggers == [(1, "anchor"), (2, "timeout")]
    first, second = (each.at_ns for each in run.party.moments[:2])
    spoken_ms = int(np.flatnonzero(np.abs(samples(clips(made)[1].pcm)) > 327)[-1]) / 24
    assert (second - first) / 1e6 == pytest.approx(3000 + spoken_ms, abs=60)


def test_a_slow_tool_is_answered_late_and_the_reply_asked_for_after_it() -> None:
    made = scenario(("delay_ms = 400", "delay_ms = 3000"))
    run = rehearse(made, clips(made), "openai")
    called = run.doubles.made[0]
    assert called.answered_ns == called.at_ns + 3_000_000_000
    sent = [
        (crossing.at_ns, json.loads(crossing.message.body)["type"])
        for crossing in run.crossed
        if crossing.sender == "client" and crossing.message.kind == "ws.text"
    ]
    outputs = [at for at, type_ in sent if type_ == "conversation.item.create"]
    wishes = [at for at, type_ in sent if type_ == "response.create"]
    assert outputs == wishes
    assert outputs[0] == pytest.approx(called.answered_ns, abs=1_000_000)


def test_a_call_that_is_refused_ends_the_run() -> None:
    made = scenario(('voice = { provider = "vapi", voiceId = "Elliot" }', "voice = 5"))
    run = rehearse(made, clips(made), "vapi")
    assert run.party.failed is not None
    assert run.party.failed.startswith("the call was refused with status 400")


def test_a_simulator_is_told_what_is_heard_and_said() -> None:
    replies = ("[provider.openai]", '[simulator]\nreplies = ["Done."]\n[provider.openai]')
    heard_words = ["--transcript=Book a table on Monday.", "--transcript=Wait, please."]
    made = scenario(SPEAKS, FIRST, replies)
    said = ["--reply=Hello.", "--reply=Done."]
    assert list(side("openai").simulator(made)) == [*heard_words, *said]
    assert list(side("openai").simulator(scenario(replies))) == [*heard_words, "--reply=Done."]
    assert list(side("vapi").simulator(made)) == [*heard_words, said[1], "--settle-s=0.5"]


def test_a_provider_without_a_side_is_told() -> None:
    with pytest.raises(RecorderError, match="choose from openai, openai-live, vapi"):
        side("acme")
