"""A tape as something that can be held anew elsewhere: its caller, its agent, its tools."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recorder.audio.pcm import to_bytes
from recorder.audio.speech import Interval, Vad, speech
from recorder.derive import seen
from recorder.errors import RecorderError
from recorder.hearing import Sorter, Stop
from recorder.projections import project
from recorder.projections.rows import Models, TurnRow
from recorder.providers import provider
from recorder.recording import Recording
from recorder.store.base import SessionRow, Store
from recorder.trial.scenario import Tool
from recorder.trial.sounds import RATE
from replay.crossing.sides import side
from replay.crossing.sides.base import Agent
from replay.crossing.utterances import Agent as Heard
from replay.crossing.utterances import Ending, Typed, Utterance, ending, utterances

_MS = 1_000_000
EDGE_MS: Final = 100.0
"""So much around what the VAD hears of an utterance is part of it."""


class Turn(NamedTuple):
    """One thing that the caller said: `pcm` at 24 kHz, empty where it was typed."""

    number: int
    said: Utterance
    pcm: bytes


class TapedCall(NamedTuple):
    """The parts of a tape. `first_message` is None where the caller speaks first; `lost` is what
    the tape does not tell, or no other provider can be told."""

    row: SessionRow
    models: Models
    agent: Agent
    first_message: str | None
    turns: tuple[Turn, ...]
    ending: Ending
    length_s: float
    lost: tuple[str, ...]

    @property
    def starts_ns(self) -> list[int]:
        """When each turn began."""
        return [round(turn.said.start_ms * _MS) for turn in self.turns]


class _Sound(NamedTuple):
    caller: NDArray[np.int16]
    user: list[Interval]
    agent: Heard
    end_ms: float


def read_tape(store: Store, row: SessionRow) -> TapedCall:
    """Take a session apart. RecorderError if its caller said nothing that is on the tape, or if the
    tape has no times."""
    models = project(row.id, seen(store, row.id), provider(row.provider))
    agent = side(row.provider).agent(each.event for each in seen(store, row.id))
    sound = _listen(store, row, models)
    said = utterances(sound.user, list(_typed(models)), sound.agent)
    if not said or not sound.end_ms:
        why = "nothing that the caller said is on it" if sound.end_ms else "the tape has no times"
        raise RecorderError(f"session {row.id} cannot be played to another provider: {why}")
    first = models.turns[0] if models.turns else None
    greeting = first.agent_text if first is not None and first.origin == "agent" else None
    tools, untold = _tools(agent, models)
    lost = list(untold)
    if agent.instructions is None:
        lost.append("instructions: the tape does not tell them")
    return TapedCall(
        row,
        models,
        agent._replace(tools=tools),
        greeting,
        tuple(_turns(said, sound.caller)),
        ending(said[-1], sound.agent, sound.end_ms),
        sound.end_ms / 1000,
        (*lost, *agent.lost),
    )


def _listen(store: Store, row: SessionRow, models: Models) -> _Sound:
    sorter = Sorter(provider(row.provider).listener())
    for moment in Recording(store, row.id).moments():
        sorter.take(moment)
    caller, agent = sorter.lanes.sides(RATE)
    vad = Vad()
    written = [
        Interval(turn.response_ns / _MS, turn.ended_ns / _MS)
        for turn in models.turns
        if turn.first_audio_ns is None
        and turn.response_ns is not None
        and turn.ended_ns is not None
    ]
    heard = sorted([*speech(agent, RATE, vad), *written])
    cuts = [each.at_ns for each in sorter.lanes.played if isinstance(each, Stop)]
    cuts += [each.detected_ns for each in models.interruptions if each.detected_ns is not None]
    ready = models.outline.ready_ns or models.outline.opened_ns or 0
    user = speech(caller, RATE, vad)
    user = sorted([*user, *_faint(models.turns, user)])
    end_ns = models.outline.ended_ns or sorter.lanes.end_ns
    told = Heard(heard, [at / _MS for at in cuts], ready / _MS)
    return _Sound(caller, user, told, end_ns / _MS)


def _faint(turns: Sequence[TurnRow], user: Sequence[Interval]) -> Iterator[Interval]:
    """What the provider heard of the caller and the VAD does not."""
    for turn in turns:
        if turn.user_started_ns is None or turn.user_stopped_ns is None:
            continue
        start, end = turn.user_started_ns / _MS, turn.user_stopped_ns / _MS
        # the provider tells that speech began after it began
        if not any(each.start_ms < end and each.end_ms > start - 1000 for each in user):
            yield Interval(max(0.0, start - 300), end)


def _typed(models: Models) -> Iterator[Typed]:
    for turn in models.turns:
        times = (turn.asked_ns, turn.committed_ns, turn.response_ns)
        at = next((each for each in times if each is not None), None)
        if turn.origin == "text" and at is not None and turn.user_text:
            yield Typed(at / _MS, turn.user_text)


def _turns(said: Sequence[Utterance], lane: NDArray[np.int16]) -> Iterator[Turn]:
    for number, each in enumerate(said, 1):
        pcm = b""
        if each.text is None:
            start = max(0, round((each.start_ms - EDGE_MS) * RATE / 1000))
            pcm = to_bytes(lane[start : round((each.end_ms + EDGE_MS) * RATE / 1000)])
        yield Turn(number, each, pcm)


def _tools(agent: Agent, models: Models) -> tuple[tuple[Tool, ...], list[str]]:
    """The agent's tools, and those that were called though nothing on the tape describes them."""
    known = {tool.name: tool for tool in agent.tools}
    lost = []
    for call in models.tool_calls:
        if call.name not in known:
            anything = {"type": "object", "properties": {}, "additionalProperties": True}
            known[call.name] = Tool(call.name, "", anything)
            lost.append(f"tool {call.name}: its description and schema are not on the tape")
    return tuple(known.values()), lost
