"""OpenAI Realtime: a scenario as `session.update`; functions are run by the caller itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from recorder.heads import RequestHead
from recorder.trial.doubles import Doubles
from recorder.trial.openai_wording import OpenAIWording, merged
from recorder.trial.scenario import Scenario
from recorder.trial.sides.base import Compiled, Party, described, own_table, wording
from recorder.trial.speaker import Speaker
from recorder.trial.steps import Step

MODEL = "gpt-realtime"
RATE = 24_000
_TRANSCRIPTION = "gpt-4o-mini-transcribe"
_TURNS = {"type": "server_vad", "silence_duration_ms": 500}
_SHORT = {  # key of [provider.openai] -> where it stands in the session
    "turn_detection": ("audio", "input", "turn_detection"),
    "transcription": ("audio", "input", "transcription"),
    "noise_reduction": ("audio", "input", "noise_reduction"),
    "voice": ("audio", "output", "voice"),
}
_NEUTRAL = {
    "session.instructions": "agent.instructions",
    "session.tools": "agent.tools",
    "session.audio.input.format": "the caller's audio",
    "session.audio.output.format": "the caller's audio",
}


def compile(scenario: Scenario) -> Compiled:
    """The session; see `Side`."""
    lacking = []
    if scenario.speaks_first == "agent" and scenario.agent.first_message:
        lacking.append("first_message: a model is told to say it, and may say something else")
    if any(double.status is not None for double in scenario.doubles):
        lacking.append("tool status: there is no HTTP; the function's output tells the error")
    if any(turn.dtmf for turn in scenario.turns):
        lacking.append("dtmf: sent as tones; keys are events only over a telephone (SIP)")
    model, session = _model(scenario), _wording(scenario).session
    priced = [("model", model)]
    heard = session["audio"]["input"].get("transcription")
    if isinstance(heard, Mapping) and heard.get("model"):
        priced.append(("transcriber", str(heard["model"])))
    return Compiled({"model": model, "session": session}, tuple(lacking), tuple(priced))


def party(scenario: Scenario, steps: Sequence[Step], doubles: Doubles) -> Party:
    """A caller on one WebSocket; see `Side`."""
    head = RequestHead("GET", "/v1/realtime", f"model={_model(scenario)}")
    return Speaker(head, steps, _wording(scenario), doubles=doubles)


def simulator(scenario: Scenario) -> Sequence[str]:
    """See `Side`. A greeting is a reply like others."""
    replies = scenario.simulated_replies
    first = scenario.agent.first_message
    if replies and first and scenario.speaks_first == "agent":
        replies = (first, *replies)
    return wording(scenario, replies)


def _own(scenario: Scenario) -> Mapping[str, Any]:
    return own_table(scenario, "openai", ("model", "session", *_SHORT), _NEUTRAL)


def _model(scenario: Scenario) -> str:
    return str(_own(scenario).get("model", MODEL))


def _wording(scenario: Scenario) -> OpenAIWording:
    given = _own(scenario)
    session = dict(given.get("session", {}))
    for key, path in _SHORT.items():
        if key in given:
            value = given[key]
            for part in reversed(path):
                value = {part: value}
            session = merged(session, value)
    greeting = None
    if scenario.speaks_first == "agent":
        first = scenario.agent.first_message
        greeting = f"Say exactly this, and nothing else: {first}" if first else ""
    return OpenAIWording(
        scenario.agent.instructions,
        [{"type": "function", **described(each)} for each in scenario.agent.tools],
        turn_detection=_TURNS,
        transcription=_TRANSCRIPTION,
        greeting=greeting,
        session=session,
    )
