"""What a GPT-Live event says, in a few words: the words spoken, the call made, the reason given.

Nested events are told as the Responses API names them. Field names: openai-python (`types/live`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from recorder.providers.fields import at, list_at, text_at
from recorder.providers.openai_live.backend import RESULTS, written

Json = Mapping[str, Any]


def describe(type_: str, message: Json) -> str:
    """The words, the call, the reason; ``""`` where the type alone says it, and for what is not
    known."""
    teller = _TELLERS.get(type_)
    return teller(message) if teller is not None else ""


def _joined(*parts: str, by: str = ", ") -> str:
    return by.join(part for part in parts if part)


def _quoted(text: str) -> str:
    return f"“{text}”" if text else ""


def _session(message: Json) -> str:
    session = at(message, "session")
    rate = at(session, "audio", "format", "rate")
    form = text_at(session, "audio", "format", "type").removeprefix("audio/")
    work = at(session, "delegation")
    backend = text_at(work, "responses", "model")
    tools = [_tool(each) for each in list_at(at(work, "responses"), "tools")]
    return _joined(
        text_at(session, "model"),
        f"{form} {rate} Hz" if form and isinstance(rate, int) else form,
        text_at(session, "audio", "output", "voice"),
        _joined("delegates to", text_at(work, "type"), backend, by=" ") if work else "",
        f"tools {' '.join(tools)}" if tools else "",
        _quoted(text_at(session, "instructions")),
    )


def _tool(tool: object) -> str:
    return text_at(tool, "name") or text_at(tool, "server_label") or text_at(tool, "type")


def _error(message: Json) -> str:
    error = at(message, "error")
    return _joined(
        text_at(error, "code") or text_at(error, "type"), text_at(error, "message"), by=": "
    )


def _usage(message: Json) -> str:
    seconds = at(message, "usage", "seconds")
    ratio = at(message, "context_window", "usage_ratio")
    return _joined(
        f"{seconds:g} s" if isinstance(seconds, int | float) else "",
        f"{ratio:.0%} of the context" if isinstance(ratio, int | float) else "",
    )


def _closed(message: Json) -> str:
    return _joined(text_at(message, "reason"), _usage(message))


def _delegation(message: Json) -> str:
    work = at(message, "delegation")
    return _joined("to", text_at(work, "target"), text_at(work, "id"), by=" ")


def _item(item: object) -> str:
    kind = text_at(item, "type")
    if kind in RESULTS:
        return _joined(text_at(item, "call_id"), written(at(item, "output")), by=" = ")
    if text_at(item, "name"):
        told = text_at(item, "arguments") or text_at(item, "input")
        return f"{text_at(item, 'name')}({told})"
    return _quoted(written(at(item, "content")).strip()) or kind


def _decision(message: Json) -> str:
    decision = at(message, "event", "decision")
    answers = [_answer(each) for each in list_at(decision, "answers")]
    return _joined(text_at(decision, "model"), *answers)


def _answer(answer: object) -> str:
    """What was decided of a question; its kind where there is no single value (a refusal)."""
    values = (at(answer, name) for name in ("choice", "score", "probability"))
    value = next((json.dumps(each) for each in values if each is not None), "")
    return _joined(text_at(answer, "name"), value or text_at(answer, "type"), by=" ")


def _nested(message: Json) -> str:
    event = at(message, "event")
    kind, response = text_at(event, "type"), at(event, "response")
    taken, given = at(response, "usage", "input_tokens"), at(response, "usage", "output_tokens")
    used = f"tokens {taken} in, {given} out" if isinstance(taken, int) else ""
    said = _item(at(event, "item")) if at(event, "item") else text_at(event, "delta")
    return _joined(kind, said, text_at(response, "model"), used, by=" ")


_TELLERS: Mapping[str, Callable[[Json], str]] = {
    "error": _error,
    "transport.failed": _error,
    "info": lambda message: _joined(text_at(message, "code"), text_at(message, "message"), by=": "),
    "session.start": _session,
    "session.started": _session,
    "session.update": _session,
    "session.updated": _session,
    "session.closed": _closed,
    "session.usage.updated": _usage,
    "session.input_transcript.delta": lambda message: text_at(message, "delta"),
    "session.output_transcript.delta": lambda message: text_at(message, "delta"),
    "session.instructions.append": lambda message: _quoted(text_at(message, "content")),
    "session.thinking.append": lambda message: _quoted(text_at(message, "content")),
    "session.commentary.append": lambda message: _quoted(text_at(message, "content")),
    "session.delegation.created": _delegation,
    "response.event": _nested,
    "decision.event": _decision,
    "response.item.create": lambda message: _item(at(message, "item")),
    "transport.dtmf.send": lambda message: text_at(message, "event"),
    "transport.dtmf.sent": lambda message: text_at(message, "event"),
    "transport.dtmf.received": lambda message: text_at(message, "event"),
}
