"""Explains what of the client does not fit: what was expected, what came, what is nearest."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import islice

from recorder.events import Message
from recorder.providers.base import Provider
from replay.match.compare import Difference, Matcher
from replay.match.requests import response_value
from replay.player.deliveries import Answer
from replay.player.line import Line
from replay.report import Failure, cut, difference_lines
from replay.script import Expected

_LOOKED_AT = 200  # steps that are compared to find the nearest


def explain(line: Line, message: Message, matcher: Matcher, hide: Callable[[str], str]) -> Failure:
    """The failure of `message` on `line`."""
    type_ = matcher.type_of(message.body) if message.kind == "ws.text" else message.kind
    came = cut(hide(type_ or "a message without a type"))
    waited = (at for at in line.open_steps() if at >= line.cleared)
    expected = next((line.script.expected[at] for at in waited), None)
    if expected is None:
        headline = f"the client sent {came}, and the tape has no further client message"
        return Failure(headline, _nearest(line, None, message, type_, matcher))
    headline = f"step {expected.seq} expected {expected.type or expected.kind}, got {came}"
    if expected.type == type_:
        headline = f"step {expected.seq} {expected.type} differs"
    found = _difference(expected, message, type_, matcher)
    return Failure(
        headline,
        (*difference_lines(found, hide), *_nearest(line, expected, message, type_, matcher)),
    )


def told(expected: Expected, provider: Provider, hide: Callable[[str], str]) -> str:
    """An expected message by type, step, and what it says: `session.update (step 3): audio, …`."""
    named = f"{expected.type or expected.kind} (step {expected.seq})"
    try:
        message = json.loads(expected.body) if expected.kind == "ws.text" else None
    except ValueError:
        message = None
    said = provider.describe(expected.type, message) if isinstance(message, dict) else ""
    return f"{named}: {cut(hide(said))}," if said else named


def misanswered(answer: Answer, matcher: Matcher, hide: Callable[[str], str]) -> Failure | None:
    """The failure if the application's answer to a webhook is not the one on the tape. Where the
    tape has none of an application, any will do, and none."""
    script = answer.script
    what = f"step {script.seq} {script.type or 'webhook'}"
    if script.answer is None:
        return None
    if not answer.head.status:
        reason = cut(hide(answer.head.reason))
        return Failure(f"{what} could not be delivered: {reason}; start the application first")
    want = response_value(script.answer, script.received)
    found = matcher.match_values("", want, response_value(answer.head, answer.body))
    if found is None:
        return None
    return Failure(f"the answer to webhook {what} differs", difference_lines(found, hide))


def _difference(step: Expected, message: Message, type_: str, matcher: Matcher) -> Difference:
    if step.kind != message.kind:
        return Difference("opcode", step.kind, message.kind)
    found = matcher.difference(type_ or step.type, step.body, message.body)
    return found or Difference("order", f"step {step.seq}", "a message that fits out of turn")


def _nearest(
    line: Line, expected: Expected | None, message: Message, type_: str, matcher: Matcher
) -> tuple[str, ...]:
    """The step that fits but is not due or was sent already, else one of the same type."""
    alike: list[str] = []
    steps = (
        (step, done)
        for step, done in zip(line.script.expected, line.matched, strict=True)
        if step is not expected and step.kind == message.kind and step.type == type_
    )
    for step, done in islice(steps, _LOOKED_AT):
        found = matcher.difference(type_, step.body, message.body)
        state = "was sent already" if done else "is not due yet"
        if found is None:
            return (f"  nearest   step {step.seq} {step.type} fits and {state}",)
        alike.append(f"  nearest   step {step.seq} {step.type} ({state}) differs at {found.path}")
    return tuple(cut(text) for text in alike[:1])
