"""What a webhook, a message of the socket, or a REST body says, in a few words.

Field names: Vapi's OpenAPI document (ServerMessage…, ClientMessage…, ClientInboundMessage…), and
what is seen beside it: arguments of a tool as an object or as text, `conversation` on the socket
where webhooks have `messages`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from recorder.providers.vapi.account import account
from recorder.providers.vapi.capture import at

Json = Mapping[str, Any]


def describe(type_: str, message: Json) -> str:
    """The words spoken, the tool called, why a call ended and what it cost; ``""`` where the type
    alone says it, and for what is not known."""
    inner = message.get("message")
    if isinstance(inner, Mapping) and "type" not in message:
        message = inner
    if "statusCode" in message:
        return _error(message)
    teller = _TELLERS.get(type_)
    if teller is None and type_.startswith("transcript["):
        teller = _transcript
    if teller is None and " /" in type_:
        teller = _rest
    return (teller or _answer)(message)


def _string(message: object, *path: str) -> str:
    found = at(message, *path)
    return found if isinstance(found, str) else ""


def _list(message: object, *path: str) -> list[Any]:
    found = at(message, *path)
    return found if isinstance(found, list) else []


def _joined(*parts: str, by: str = ", ") -> str:
    return by.join(part for part in parts if part)


def _quoted(text: str) -> str:
    return f"“{text}”" if text else ""


def _named(name: str, text: str) -> str:
    return f"{name} {text}" if text else ""


def _error(message: Json) -> str:
    """NestJS: one message or a list of them."""
    told = message.get("message")
    words = "; ".join(map(str, told)) if isinstance(told, list) else _string(message, "message")
    return _joined(f"{message['statusCode']} {_string(message, 'error')}".strip(), words, by=": ")


def _transcript(message: Json) -> str:
    part = "…" if message.get("transcriptType") == "partial" else ""
    said = _quoted(_string(message, "transcript") + part)
    return _joined(_string(message, "role"), said, by=": ")


def _speech(message: Json) -> str:
    return _joined(_string(message, "role"), _string(message, "status"), by=" ")


def _status(message: Json) -> str:
    cause = _string(message, "inboundPhoneCallDebuggingArtifacts", "assistantRequestError")
    return _joined(
        _joined(_string(message, "status"), _string(message, "endedReason"), by=": "), cause
    )


def _conversation(message: Json) -> str:
    """The last of what was said; the whole comes again with each update, beside the type or under
    `artifact`."""
    for holder in ((), ("artifact",)):
        for key in ("messages", "conversation", "messagesOpenAIFormatted"):
            found = _list(message, *holder, key)
            if found:
                last = found[-1]
                words = _string(last, "message") or _string(last, "content")
                count = "1 message" if len(found) == 1 else f"{len(found)} messages"
                return _joined(count, _joined(_string(last, "role"), _quoted(words), by=": "))
    return ""


def _output(message: Json) -> str:
    found = message.get("output", message.get("modelOutput"))
    if isinstance(found, str):
        return _quoted(found)
    return _call(found) if isinstance(found, Mapping) else ""


def _call(call: object) -> str:
    """A tool call: `{function: {name, arguments}}`, or flat with `arguments` or `parameters`."""
    function = at(call, "function") or call
    arguments = at(function, "arguments")
    if arguments is None:
        arguments = at(function, "parameters")
    if arguments is not None and not isinstance(arguments, str):
        arguments = json.dumps(arguments, ensure_ascii=False)
    return f"{_string(function, 'name')}({arguments or ''})"


def _tools(message: Json) -> str:
    found = _list(message, "toolCallList") or _list(message, "toolCalls")
    return _joined(*map(_call, found))


def _caller(message: Json) -> str:
    """Who calls whom."""
    number = _string(message, "customer", "number") or _string(message, "customer", "sipUri")
    return _joined(
        _string(message, "call", "type"),
        _named("from", number),
        _named("to", _string(message, "phoneNumber", "number")),
        by=" ",
    )


def _asked_for(message: Json) -> str:
    """What was said last when Vapi asks where to go on."""
    return _conversation(message) or _answer(message)


def _destination(message: Json) -> str:
    place = message.get("destination")
    for key in ("number", "sipUri", "assistantName", "callerId"):
        if _string(place, key):
            return _joined(_string(place, "type"), _string(place, key), by=" ")
    return _string(place, "type")


def _answer(message: Json) -> str:
    """What an application answers, or a message without a teller: results, a destination."""
    results = [
        _joined(
            _string(each, "toolCallId"),
            _string(each, "result") or _named("error", _string(each, "error")),
            by=": ",
        )
        for each in _list(message, "results")
    ]
    documents = _list(message, "documents")
    return _joined(
        *results,
        _named("error", _string(message, "error")),
        _named("to", _destination(message)),
        f"{len(documents)} documents" if documents else "",
        _named("assistant", _string(message, "assistantId") or _assistant(message)),
    )


def _assistant(message: Json) -> str:
    found = message.get("assistant", message.get("newAssistant"))
    return _joined(_string(found, "name"), _model(found), by=" ") if found else ""


def _model(assistant: object) -> str:
    return _joined(
        _string(assistant, "model", "provider"), _string(assistant, "model", "model"), by=" "
    )


def _report(message: Json) -> str:
    """An end-of-call-report, or a call that has ended."""
    told = account(message)
    lines = [
        f"{line.kind} {line.usd:.4g}" for line in told.lines if line.usd is not None and line.usd
    ]
    bill = f"${told.total_usd:.4f}" if told.total_usd is not None else ""
    count = len(told.messages)
    return _joined(
        told.reason,
        f"{told.seconds:.1f} s" if told.seconds is not None else "",
        bill + (f" ({', '.join(lines)})" if lines else ""),
        f"{count} message{'' if count == 1 else 's'}" if count else "",
    )


def _rest(message: Json) -> str:
    """A call, an assistant, or the request that makes one."""
    if message.get("status") == "ended":
        return _joined("ended", _report(message), by=": ")
    transport = _string(message, "transport", "provider")
    queries = [_string(each, "name") for each in _list(message, "queries")]
    return _joined(
        _string(message, "type") if transport or "queries" in message else "",
        _string(message, "status"),
        _string(message, "name"),
        _model(message) or _named("assistant", _string(message, "assistantId")),
        _assistant(message),
        transport,
        _quoted(_string(message, "firstMessage")),
        _said(message),
        *queries,
    )


def _said(message: Json) -> str:
    """A control message as the body of a request to `/{id}/control`."""
    type_ = _string(message, "type")
    return _joined(type_, _TELLERS[type_](message), by=" ") if type_ in _INBOUND else ""


def _say(message: Json) -> str:
    ends = "then ends the call" if message.get("endCallAfterSpoken") is True else ""
    return _joined(_quoted(_string(message, "content")), ends)


def _add(message: Json) -> str:
    inner = message.get("message")
    return _joined(_string(inner, "role"), _quoted(_string(inner, "content")), by=": ")


def _uploads(message: Json) -> str:
    return _joined(
        *(
            _string(each, "type") + ("" if at(each, "success") is not False else " failed")
            for each in _list(message, "artifacts")
        )
    )


def _field(name: str) -> Callable[[Json], str]:
    return lambda message: _quoted(_string(message, name))


def _nothing(message: Json) -> str:
    return ""


_INBOUND = ("say", "add-message", "control", "end-call", "transfer", "handoff", "hangup")
_TELLERS: dict[str, Callable[[Json], str]] = {
    "audio": _nothing,
    "hang": _nothing,
    "end-call": _nothing,
    "hangup": _nothing,
    "transcript": _transcript,
    "speech-update": _speech,
    "status-update": _status,
    "conversation-update": _conversation,
    "model-output": _output,
    "voice-input": _field("input"),
    "voice-request": _field("text"),
    "assistant.speechStarted": _field("text"),
    "assistant.started": _assistant,
    "user-interrupted": lambda message: _string(message, "turnId"),
    "tool-calls": lambda message: _tools(message) or _answer(message),
    "function-call": lambda message: _call(message.get("functionCall")),
    "assistant-request": lambda message: _caller(message) or _answer(message),
    "transfer-destination-request": _asked_for,
    "handoff-destination-request": _asked_for,
    "transfer-update": _destination,
    "phone-call-control": lambda message: _string(message, "request"),
    "language-changed": lambda message: _string(message, "language"),
    "language-change-detected": lambda message: _string(message, "language"),
    "knowledge-base-request": lambda message: _conversation(message) or _answer(message),
    "end-of-call-report": _report,
    "call.artifact.upload": _uploads,
    "say": _say,
    "add-message": _add,
    "control": lambda message: _string(message, "control"),
    "transfer": _destination,
    "handoff": _destination,
}
