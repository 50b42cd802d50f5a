"""What came of a conversation that was held anew elsewhere: a verdict, and what differs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from replay.crossing.running import Ran
from replay.crossing.taped import TapedCall
from replay.crossing.views import Call, Told, View

Outcome = Literal["pass", "fail", "inconclusive"]
_SLOWER_MS = 200.0  # below this latencies count as alike: turn detectors wait as long by chance


class Difference(NamedTuple):
    """Something that went another way than on the tape. `turn` counts what the caller said, from 1;
    0 is what was before it."""

    turn: int
    kind: Literal["answer", "heard", "tool", "interruption", "latency", "trigger"]
    text: str


class Result(NamedTuple):
    """Both tapes, turn by turn. `reason` is empty for a pass; `given` is how many of the caller's
    turns were said."""

    outcome: Outcome
    reason: str
    given: int
    tape: TapedCall
    before: Told
    now: Told
    differences: tuple[Difference, ...]
    notes: tuple[str, ...]


def judge(tape: TapedCall, before: Told, now: Told, ran: Ran) -> Result:
    """The conversation has passed if it went to its end with every call of a tool answered, or was
    ended by the agent once all was said."""
    outcome, reason, notes = _outcome(tape, before, now, ran)
    unused = (f"double never used: {name}" for name in ran.tools.unused)
    return Result(
        outcome,
        reason,
        len(ran.given),
        tape,
        before,
        now,
        tuple(differences(before, now, ran)),
        (*now.doubts, *notes, *dict.fromkeys(ran.tools.notes), *unused),
    )


def _outcome(tape: TapedCall, before: Told, now: Told, ran: Ran) -> tuple[Outcome, str, list[str]]:
    left = _unanswered(now) - _unanswered(before)
    why = f"not answered: {', '.join(sorted(left))}" if left else ""
    is_said = len(ran.given) == len(tape.turns)
    if ran.failed and is_said and ran.is_fault and now.ended_by == "provider" and not now.fatal:
        return ("fail" if left else "pass"), why, [f"the agent ended the call: {ran.failed}"]
    if ran.failed:
        return ("fail" if ran.is_fault else "inconclusive"), ran.failed, []
    return ("fail" if left else "pass"), why, []


def _unanswered(told: Told) -> set[str]:
    return {call.name for view in told.views for call in view.calls if call.output is None}


def differences(before: Told, now: Told, ran: Ran) -> Iterator[Difference]:
    """What differs, turn by turn, as far as the new conversation came."""
    triggers = {each.number: each.trigger for each in ran.given}
    for turn, old in enumerate(before.views):
        if turn and turn not in triggers:
            yield Difference(turn, "trigger", "the caller did not come to it")
            continue
        if triggers.get(turn) == "timeout":
            yield Difference(turn, "trigger", "what the caller waited for did not come")
        if turn < len(now.views):
            yield from _of_turn(turn, old, now.views[turn])


def _of_turn(turn: int, old: View, new: View) -> Iterator[Difference]:
    if old.heard and _plain(old.heard) != _plain(new.heard):
        yield Difference(
            turn, "heard", f"the caller was heard as {new.heard!r}, on the tape as {old.heard!r}"
        )
    if bool(old.said) != bool(new.said):
        yield Difference(
            turn,
            "answer",
            "the agent said nothing" if old.said else "the agent spoke, on the tape it did not",
        )
    yield from (Difference(turn, "tool", text) for text in _tools(old.calls, new.calls))
    if (old.cut is None) != (new.cut is None):
        text = "no interruption came" if old.cut else "an interruption that the tape does not have"
        yield Difference(turn, "interruption", text)
    if old.v2v_ms is not None and new.v2v_ms is not None:
        more = new.v2v_ms - old.v2v_ms
        if abs(more) >= _SLOWER_MS:
            word = "later" if more > 0 else "sooner"
            yield Difference(turn, "latency", f"the answer came {abs(more):.0f} ms {word}")


def _tools(old: tuple[Call, ...], new: tuple[Call, ...]) -> Iterator[str]:
    """Calls paired by name in their order."""
    left = list(new)
    for call in old:
        pair = next((each for each in left if each.name == call.name), None)
        if pair is None:
            yield f"{call.name} was not called"
            continue
        left.remove(pair)
        if arguments(pair) != arguments(call):
            yield f"{call.name} was called with {pair.arguments}, on the tape with {call.arguments}"
        if pair.failed != call.failed:
            yield f"{call.name} {'failed' if pair.failed else 'did not fail as on the tape'}"
    yield from (f"{each.name} was called, on the tape it was not" for each in left)


def arguments(call: Call) -> Any:
    """What a function was called with; text that is no JSON as it stands."""
    try:
        return json.loads(call.arguments or "{}")
    except ValueError:
        return call.arguments


def _plain(text: str) -> str:
    return " ".join("".join(each for each in text.lower() if each.isalnum() or each == " ").split())


def facts(result: Result, lost: tuple[str, ...]) -> Mapping[str, Any]:
    """A result for machines."""
    tape = result.tape
    pairs = zip(range(len(result.before.views)), result.before.views, strict=True)
    return {
        "outcome": result.outcome,
        "reason": result.reason or None,
        "turns_said": result.given,
        "turns_on_tape": len(tape.turns),
        "not_carried_over": list(lost),
        "tape": _side(result.before),
        "here": _side(result.now),
        "turns": [
            {
                "turn": turn,
                "tape": _view(old),
                "here": _view(result.now.views[turn]) if turn < len(result.now.views) else None,
            }
            for turn, old in pairs
        ],
        "differences": [each._asdict() for each in result.differences],
        "notes": list(result.notes),
    }


def _side(told: Told) -> Mapping[str, Any]:
    return {
        "session": told.row.id,
        "provider": told.row.provider,
        "model": told.row.model,
        "simulated": told.is_simulated,
        "usd": None if told.usd is None else f"{told.usd:f}",
        "bill": [
            {**part._asdict(), "usd": None if part.usd is None else f"{part.usd:f}"}
            for part in told.bill
        ],
    }


def _view(view: View) -> Mapping[str, Any]:
    cut = view.cut
    return {
        "heard": view.heard,
        "said": view.said,
        "v2v_ms": view.v2v_ms,
        "tools": [call._asdict() for call in view.calls],
        "interrupted": cut is not None,
        "interrupted_after_ms": cut.heard_ms if cut else None,
    }
