"""A tape as a scenario in memory, and as the steps of a caller, for one provider."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from recorder.audio.pcm import resample, samples, to_bytes
from recorder.pricing.conversation import Assumptions
from recorder.pricing.estimate import Bill
from recorder.pricing.heard import heard
from recorder.pricing.prices import PriceBook
from recorder.trial import scenario as scenarios
from recorder.trial.scenario import Scenario
from recorder.trial.sides import side as trial_side
from recorder.trial.sounds import RATE
from recorder.trial.steps import Cue, Say, Step
from replay.crossing.sides import side
from replay.crossing.sides.base import Words
from replay.crossing.taped import EDGE_MS, TapedCall, Turn

_INSTRUCTIONS = "You are a helpful assistant on the telephone."


class Script(NamedTuple):
    """What is played to `provider`: `lost` is what is not carried over, a line each; `bill` is what
    it is expected to cost."""

    provider: str
    scenario: Scenario
    steps: tuple[Step, ...]
    words: Words
    lost: tuple[str, ...]
    bill: Bill


def write_script(tape: TapedCall, provider: str, max_s: float, book: PriceBook) -> Script:
    """The script of a tape; RecorderError for a provider that there is no side of."""
    there = side(provider)
    dressed = there.dressed(tape.agent)
    speaks_first = tape.first_message is not None
    told = scenarios.Agent(
        tape.agent.instructions or _INSTRUCTIONS, tape.first_message or None, tape.agent.tools
    )
    made = Scenario(
        id=f"tape-{tape.row.id}",
        title=f"The conversation of {tape.row.id}",
        tags=(),
        seed=0,
        speaks_first="agent" if speaks_first else "user",
        voice=scenarios.Voice(),
        agent=told,
        doubles=(),
        turns=tuple(_turn(each) for each in tape.turns),
        end=scenarios.End(tape.ending.after, tape.ending.quiet_ms, tape.ending.timeout_ms, max_s),
        budget=scenarios.Budget(),
        provider={provider: dressed.settings},
        simulated_replies=(),
        sha256=hashlib.sha256(b"".join(turn.pcm for turn in tape.turns)).hexdigest(),
        text="",
    )
    here = trial_side(provider)
    lost = [*tape.lost, *dressed.lost, *here.compile(made).lacking]
    bill = _bill(tape, provider, book)
    if tape.agent.model is not None:
        lost.insert(0, f"model {tape.agent.model}: {provider} runs {bill.model}")
    steps = _steps(tape, made, here.RATE)
    return Script(provider, made, tuple(steps), _words(tape), tuple(dict.fromkeys(lost)), bill)


def _turn(turn: Turn) -> scenarios.Turn:
    said = turn.said
    return scenarios.Turn(turn.number, said.mode, said.at, say=said.text or "(recorded speech)")


def _steps(tape: TapedCall, made: Scenario, rate: int) -> Sequence[Step]:
    steps: list[Step] = []
    for turn in tape.turns:
        at, text = turn.said.at, turn.said.text
        delay = at.delay_ms if text else max(0, at.delay_ms - round(EDGE_MS))
        pcm = to_bytes(resample(samples(turn.pcm), RATE, rate))
        cue = Cue(at.after, delay, at.timeout_ms, pcm, rate, turn.said.mode, turn.number)
        steps += [cue] if text is None else [cue, Say(text)]
    end = made.end
    return [*steps, Cue(end.after, end.quiet_ms, end.timeout_ms)]


def _words(tape: TapedCall) -> Words:
    """What the caller is known to have said, and what the agent answered: for simulators, which
    neither hear nor think."""
    turns = tape.models.turns
    spoken = tuple(each.user_text for each in turns if each.origin == "speech" and each.user_text)
    answers = turns if tape.first_message is None else turns[1:]
    said = tuple(each.agent_text for each in answers if each.agent_text)
    return Words(spoken, said, tape.first_message or None)


def _bill(tape: TapedCall, provider: str, book: PriceBook) -> Bill:
    said = heard(tape.models, Decimal(str(round(tape.length_s, 3))), Assumptions())
    return side(provider).estimate(said.talk, book)
