"""What a webhook, a message of the socket, or a REST body says, in a few words.

Field names: Vapi's OpenAPI document (ServerMessage…, ClientMessage…, ClientInboundMessage…), and
what is seen beside it: arguments of a tool as an object or as text, `conversation` on the socket
where webhooks have `messages`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from recorder.counting import counted
from recorder.providers.fields import at, list_at, text_at
from recorder.providers.vapi.account import account

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


def _joined(*parts: str, by: str = ", ") -> str:
    return by.join(part for part in parts if part)


def _quoted(text: str) -> str:
    return f"“{text}”" if text else ""


def _named(name: str, text: str) -> str:
    return f"{name} {text}" if text else ""


def _error(message: Json) -> str:
    """NestJS: one message or a list of them."""
    told = message.get("message")
    words = "; ".join(map(str, told)) if isinstance(told, list) else text_at(message, "message")
    return _joined(f"{message['statusCode']} {text_at(message, 'error')}".strip(), words, by=": ")


def _transcript(message: Json) -> str:
    part = "…" if message.get("transcriptType") == "partial" else ""
    said = _quoted(text_at(message, "transcript") + part)
    return _joined(text_at(message, "role"), said, by=": ")


def _speech(message: Json) -> str:
    return _joined(text_at(message, "role"), text_at(message, "status"), by=" ")


def _status(message: Json) -> str:
    cause = text_at(message, "inboundPhoneCallDebuggingArtifacts", "assistantRequestError")
    return _joined(
        _joined(text_at(message, "status"), text_at(message, "endedReason"), by=": "), cause
    )


def _conversation(message: Json) -> str:
    """The last of what was said; the whole comes again with each update, beside the type or under
    `artifact`."""
    for holder in ((), ("artifact",)):
        for key in ("messages", "conversation", "messagesOpenAIFormatted"):
            found = list_at(message, *holder, key)
            if found:
                last = found[-1]
                words = text_at(last, "message") or text_at(last, "content")
                return _joined(
                    counted(len(found), "message"),
                    _joined(text_at(last, "role"), _quoted(words), by=": "),
                )
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
    return f"{text_at(function, 'name')}({arguments or ''})"


def _tools(message: Json) -> str:
    found = list_at(message, "toolCallList") or list_at(message, "toolCalls")
    return _joined(*map(_call, found))


def _caller(message: Json) -> str:
    """Who calls whom."""
    number = text_at(message, "customer", "number") or text_at(message, "customer", "sipUri")
    return _joined(
        text_at(message, "call", "type"),
        _named("from", number),
        _named("to", text_at(message, "phoneNumber", "number")),
        by=" ",
    )


def _asked_for(message: Json) -> str:
    """What was said last when Vapi asks where to go on."""
    return _conversation(message) or _answer(message)


def _destination(message: Json) -> str:
    place = message.get("destination")
    for key in ("number", "sipUri", "assistantName", "callerId"):
        if text_at(place, key):
            return _joined(text_at(place, "type"), text_at(place, key), by=" ")
    return text_at(place, "type")


def _answer(message: Json) -> str:
    """What an application answers, or a message without a teller: results, a destination."""
    results = [
        _joined(
            text_at(each, "toolCallId"),
            text_at(each, "result") or _named("error", text_at(each, "error")),
            by=": ",
        )
        for each in list_at(message, "results")
    ]
    documents = list_at(message, "documents")
    return _joined(
        *results,
        _named("error", text_at(message, "error")),
        _named("to", _destination(message)),
        counted(len(documents), "document") if documents else "",
        _named("assistant", text_at(message, "assistantId") or _assistant(message)),
    )


def _assistant(message: Json) -> str:
    found = message.get("assistant", message.get("newAssistant"))
    return _joined(text_at(found, "name"), _model(found), by=" ") if found else ""


def _model(assistant: object) -> str:
    return _joined(
        text_at(assistant, "model", "provider"), text_at(assistant, "model", "model"), by=" "
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
        counted(count, "message") if count else "",
    )


def _rest(message: Json) -> str:
    """A call, an assistant, or the request that makes one."""
    if message.get("status") == "ended":
        return _joined("ended", _report(message), by=": ")
    transport = text_at(message, "transport", "provider")
    queries = [text_at(each, "name") for each in list_at(message, "queries")]
    return _joined(
        text_at(message, "type") if transport or "queries" in message else "",
        text_at(message, "status"),
        text_at(message, "name"),
        _model(message) or _named("assistant", text_at(message, "assistantId")),
        _assistant(message),
        transport,
        _quoted(text_at(message, "firstMessage")),
        _said(message),
        *queries,
    )


def _said(message: Json) -> str:
    """A control message as the body of a request to `/{id}/control`."""
    type_ = text_at(message, "type")
    return _joined(type_, _TELLERS[type_](message), by=" ") if type_ in _INBOUND else ""


def _say(message: Json) -> str:
    ends = "then ends the call" if message.get("endCallAfterSpoken") is True else ""
    return _joined(_quoted(text_at(message, "content")), ends)


def _add(message: Json) -> str:
    inner = message.get("message")
    return _joined(text_at(inner, "role"), _quoted(text_at(inner, "content")), by=": ")


def _uploads(message: Json) -> str:
    return _joined(
        *(
            text_at(each, "type") + ("" if at(each, "success") is not False else " failed")
            for each in list_at(message, "artifacts")
        )
    )


def _field(name: str) -> Callable[[Json], str]:
    return lambda message: _quoted(text_at(message, name))


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
    "user-interrupted": lambda message: text_at(message, "turnId"),
    "tool-calls": lambda message: _tools(message) or _answer(message),
    "function-call": lambda message: _call(message.get("functionCall")),
    "assistant-request": lambda message: _caller(message) or _answer(message),
    "transfer-destination-request": _asked_for,
    "handoff-destination-request": _asked_for,
    "transfer-update": _destination,
    "phone-call-control": lambda message: text_at(message, "request"),
    "language-changed": lambda message: text_at(message, "language"),
    "language-change-detected": lambda message: text_at(message, "language"),
    "knowledge-base-request": lambda message: _conversation(message) or _answer(message),
    "end-of-call-report": _report,
    "call.artifact.upload": _uploads,
    "say": _say,
    "add-message": _add,
    "control": lambda message: text_at(message, "control"),
    "transfer": _destination,
    "handoff": _destination,
}
