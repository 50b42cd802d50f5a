"""What the caller of a tape said, cut out of it, and what each utterance had waited for.

By ear alone: speech is what an energy VAD hears in the lane of the caller and in that of the agent
as it was played, so that it means the same for every provider. All times are milliseconds since the
session's anchor.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from recorder.audio.speech import Interval
from recorder.trial.scenario import At, Mode

_PAUSE_MS = 2_000.0  # the caller pauses at most so long within an utterance
_BREATH_MS = 700.0  # and so long while the agent speaks
_EAGER_MS = 500.0  # who begins so shortly before the agent's end has waited for it
_CUT_MS = 1_500.0  # an agent that yields has done so after so long
_AT_ONCE_MS = 200.0  # an edge of speech and what a machine made of it are so near to each other
_YIELDS_MS = 1_000.0  # an agent that speaks on for so long after an utterance ignored it
_REACTION_MS = 700  # of a caller whose reaction to an answer is not on the tape
_PATIENCE_MS = 15_000
_LONGEST_QUIET_MS = 5_000


class Utterance(NamedTuple):
    """What the caller said without waiting for the agent. `text` is None for speech."""

    start_ms: float
    end_ms: float
    mode: Mode
    at: At
    text: str | None = None


class Ending(NamedTuple):
    """When the caller hung up: so long after an anchor."""

    after: str
    quiet_ms: int
    timeout_ms: int


class Typed(NamedTuple):
    """Words that the caller wrote, at a moment."""

    at_ms: float
    text: str


class Agent(NamedTuple):
    """The agent's side: when it was heard to speak, when it was cut short, and when the session
    could be talked to."""

    speech: Sequence[Interval]
    cuts_ms: Sequence[float]
    ready_ms: float


class _Span(NamedTuple):
    start_ms: float
    end_ms: float
    text: str | None


def utterances(user: Sequence[Interval], typed: Sequence[Typed], agent: Agent) -> list[Utterance]:
    """The caller's utterances in order."""
    found: list[Utterance] = []
    for span in _spans(user, agent.speech, typed):
        at = _at(span, agent, found[-1] if found else None)
        mode = _mode(span, agent)
        found.append(Utterance(span.start_ms, span.end_ms, mode, at, span.text))
    return found


def ending(last: Utterance, agent: Agent, end_ms: float) -> Ending:
    """How long after the agent's answer, or after the last utterance if none was waited for, the
    caller hung up."""
    after = [each.end_ms for each in agent.speech if each.end_ms > last.end_ms]
    since = max(after, default=last.end_ms)
    quiet = int(min(max(0.0, end_ms - since), _LONGEST_QUIET_MS))
    if after:
        return Ending("agent_speech_end", quiet, _patience(max(after) - last.end_ms))
    return Ending("prev_turn_end", quiet, _PATIENCE_MS)


def _spans(
    user: Sequence[Interval], agent: Sequence[Interval], typed: Sequence[Typed]
) -> list[_Span]:
    spans: list[_Span] = []
    for each in user:
        last = spans[-1] if spans else None
        if last is not None and each.start_ms - last.end_ms <= _allowed(last, each, agent):
            spans[-1] = last._replace(end_ms=each.end_ms)
        else:
            spans.append(_Span(each.start_ms, each.end_ms, None))
    spans += [_Span(each.at_ms, each.at_ms, each.text) for each in typed]
    return sorted(spans, key=lambda span: span.start_ms)


def _allowed(last: _Span, following: Interval, agent: Sequence[Interval]) -> float:
    """How long a pause may be that does not end an utterance."""
    is_quiet = not any(
        each.start_ms < following.start_ms and each.end_ms > last.end_ms for each in agent
    )
    return _PAUSE_MS if is_quiet else _BREATH_MS


def _over(span: _Span, agent: Agent) -> Interval | None:
    """The agent's speech that an utterance begins in: one that goes on, or is cut short by it."""
    at = bisect_right(agent.speech, span.start_ms, key=lambda each: each.start_ms) - 1
    if at < 0:
        return None
    under_way = agent.speech[at]
    if under_way.end_ms - span.start_ms >= _EAGER_MS:
        return under_way
    is_near = under_way.end_ms >= span.start_ms - _AT_ONCE_MS
    return under_way if is_near and _cuts(span, agent) else None


def _cuts(span: _Span, agent: Agent) -> bool:
    first, last = span.start_ms - _AT_ONCE_MS, span.start_ms + _CUT_MS
    return any(first <= at <= last for at in agent.cuts_ms)


def _mode(span: _Span, agent: Agent) -> Mode:
    over = _over(span, agent)
    if over is None:
        return "respond"
    return "ignore" if over.end_ms >= span.end_ms + _YIELDS_MS else "yield"


def _at(span: _Span, agent: Agent, before: Utterance | None) -> At:
    """What an utterance had waited for, in the anchors of a scenario."""
    since = before.end_ms if before else agent.ready_ms
    gap = max(0.0, span.start_ms - since)
    over = _over(span, agent)
    if over is not None:
        onset = _onset(agent.speech, before, since)
        start = over.start_ms if onset is None else onset
        return At("agent_speech_start", _ms(span.start_ms - max(start, since)), _patience(gap))
    heard = [each for each in agent.speech if each.start_ms < span.start_ms and each.end_ms > since]
    if heard:
        reaction = _ms(span.start_ms - heard[-1].end_ms)
        return At("agent_speech_end", reaction, _patience(gap))
    if before is None:
        return At("session_ready", _ms(gap), _patience(gap))
    # the agent had not answered: if it does here, the caller waits for it
    return At("agent_speech_end", _REACTION_MS, max(1, _ms(gap)))


def _onset(agent: Sequence[Interval], before: Utterance | None, since: float) -> float | None:
    """When the agent began to speak after the utterance before, or since when it spoke on."""
    if before is not None and before.mode == "ignore":
        return next((each.start_ms for each in agent if each.end_ms > since), None)
    return next((each.start_ms for each in agent if each.start_ms >= since), None)


def _patience(gap_ms: float) -> int:
    return max(_PATIENCE_MS, _ms(gap_ms * 1.5))


def _ms(value: float) -> int:
    return max(0, round(value))
