"""What a provider's side offers, and what all sides share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from recorder.audio.pcm import resample, samples, to_bytes
from recorder.client import Client
from recorder.errors import RecorderError
from recorder.trial.cues import Moment
from recorder.trial.doubles import Doubles
from recorder.trial.rendering import Clip
from recorder.trial.scenario import Scenario, Tool
from recorder.trial.sounds import RATE
from recorder.trial.steps import Cue, Step

Json = dict[str, Any]


class Party(Client, Protocol):
    """The caller of one run: a client machine that says how it went."""

    @property
    def failed(self) -> str | None:
        """Why it ended before its script, or None."""
        ...

    @property
    def moments(self) -> Sequence[Moment]:
        """The cues so far."""
        ...

    def give_up(self, why: str, now: int) -> None:
        """Hang up."""
        ...


class Compiled(NamedTuple):
    """What goes to the provider, as JSON, and what of the scenario it cannot express, a line
    each. `priced` are the components and models whose use the price book has to price; none where
    the provider tells what it charges."""

    settings: Json
    lacking: tuple[str, ...]
    priced: tuple[tuple[str, str], ...] = ()


class Side(Protocol):
    """A module of `sides`. `RATE` is that of the caller's audio, in samples a second."""

    @property
    def RATE(self) -> int: ...  # noqa: N802

    def compile(self, scenario: Scenario) -> Compiled:
        """Render the agent; RecorderError for a table [provider.NAME] that cannot be."""
        ...

    def party(self, scenario: Scenario, steps: Sequence[Step], doubles: Doubles) -> Party:
        """A caller that follows `steps`, for one run."""
        ...

    def simulator(self, scenario: Scenario) -> Sequence[str]:
        """Options of `replay simulate` for a stand-in: what it hears and what its agent says."""
        ...


def script(scenario: Scenario, clips: Mapping[int, Clip], rate: int) -> list[Step]:
    """What the caller does, the same for every provider. Clips are brought to `rate` here, because
    in a conversation it would hold up the clock."""
    steps: list[Step] = []
    for turn in scenario.turns:
        clip, at = clips.get(turn.number), turn.at
        pcm = _at_rate(clip.pcm, rate) if clip else b""
        cue = Cue(at.after, at.delay_ms, at.timeout_ms, pcm, rate, turn.mode, turn.number)
        steps.append(cue)
        if turn.silence_ms is not None:
            timeout_ms = turn.silence_ms + 1
            steps.append(Cue("prev_turn_end", turn.silence_ms, timeout_ms, mode=turn.mode))
    end = scenario.end
    steps.append(Cue(end.after, end.quiet_ms, end.timeout_ms))
    return steps


def wording(scenario: Scenario, replies: Iterable[str]) -> list[str]:
    """What a simulator's transcriber hears and its agent says, as options."""
    heard = [f"--transcript={turn.words}" for turn in scenario.turns if turn.words]
    return heard + [f"--reply={text}" for text in replies]


def described(tool: Tool) -> Json:
    """A function as the providers take it."""
    facts = {"name": tool.name, "description": tool.description}
    return {**facts, "parameters": dict(tool.parameters)}


@lru_cache(maxsize=64)
def _at_rate(pcm: bytes, rate: int) -> bytes:
    return to_bytes(resample(samples(pcm), RATE, rate))


def own_table(
    scenario: Scenario, provider: str, valid: Sequence[str], taken: Mapping[str, str]
) -> Mapping[str, Any]:
    """[provider.NAME] of a scenario. RecorderError for a key that is not `valid`, or that the
    neutral part decides (see `refuse_neutral`)."""
    given = scenario.provider.get(provider, {})
    for key in given:
        if key not in valid:
            raise RecorderError(
                f"scenario {scenario.id}: [provider.{provider}] has an unknown key {key!r}; "
                f"valid are {', '.join(valid)}"
            )
    refuse_neutral(scenario, provider, given, taken)
    return given


def refuse_neutral(
    scenario: Scenario, provider: str, given: Mapping[str, Any], taken: Mapping[str, str]
) -> None:
    """RecorderError for keys of [provider.NAME] that the neutral part of a scenario decides: paths
    with dots, and what decides them."""
    for path, by in taken.items():
        found: Any = given
        for part in path.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
        if found is not None:
            where = f"scenario {scenario.id}: [provider.{provider}]"
            raise RecorderError(f"{where} must not set {path}: {by} decides it")
