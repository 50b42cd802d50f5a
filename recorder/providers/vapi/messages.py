"""What Vapi's messages mean, wherever they came; names of their fields: its OpenAPI document."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

from recorder.providers.fields import at, number_at, text_at
from recorder.providers.neutral import (
    Class,
    Ended,
    Fault,
    Interrupted,
    Neutral,
    Ready,
    ResponseEnded,
    ResponseStarted,
    Role,
    Side,
    Stalled,
    Stamped,
    ToolAnswered,
    ToolCalled,
    Unknown,
    UserSpeech,
    VendorLatency,
    Words,
)
from recorder.providers.vapi.account import messages

Json = Mapping[str, Any]
_SILENT = frozenset(
    {
        "assistant.started",
        "assistant.speechStarted",
        "conversation-update",
        "voice-input",
        "metadata",
        "transfer-update",
        "workflow.node.started",
        "language-changed",
        "language-change-detected",
        "phone-call-control",
        "assistant-request",
        "transfer-destination-request",
        "handoff-destination-request",
        "knowledge-base-request",
        "voice-request",
        "call.endpointing.request",
        "campaign.predial",
        "call.artifact.upload",
        "call.deleted",
        "call.delete.failed",
    }
)
_VENDOR = (
    "turnLatency",
    "transcriberLatency",
    "endpointingLatency",
    "modelLatency",
    "voiceLatency",
)
_CLASSES: tuple[tuple[str, Class], ...] = (
    ("transcriber", "transcriber"),
    ("voice", "voice"),
    ("llm", "model"),
    ("model", "model"),
    ("transport", "transport"),
    ("websocket", "transport"),
    ("sip", "transport"),
)


class Messages:
    """Reads the messages of one call in order. `speech` is what the assistant says now, or said
    last; a response here is one speech, because Vapi gives answers no other bounds."""

    def __init__(self) -> None:
        self.speech: str | None = None
        self._speeches = 0
        self._is_speaking = self._was_cut = False
        self._called: set[str] = set()
        self._results: set[str] = set()
        self._has_words = self._has_latencies = False
        self._reason = ""
        self._readers: dict[str, Callable[[Json], Sequence[Neutral]]] = {
            "status-update": self._status,
            "speech-update": self._speech,
            "transcript": self._transcript,
            "model-output": self._output,
            "user-interrupted": self._interrupted,
            "hang": lambda message: (Stalled(),),
            "tool-calls": self._tool_calls,
            "function-call": self._tool_calls,
            "tool-calls-result": self._tool_result,
            "function-call-result": self._tool_result,
            "tool.completed": self._tool_result,
            "end-of-call-report": self._report,
        }

    def read(self, type_: str, message: Json) -> Sequence[Neutral]:
        """What a message of the provider means."""
        reader = self._readers.get(type_)
        if reader is not None:
            return reader(message)
        return () if type_ in _SILENT or not type_ else (Unknown(type_),)

    def sent(self, message: Json) -> Sequence[Neutral]:
        """What a message of the client means: words that it adds to the conversation."""
        inner = message.get("message")
        words = at(inner, "content")
        if message.get("type") != "add-message" or not isinstance(words, str):
            return ()
        role = at(inner, "role")
        return (Words(role, words, "final", "text"),) if role in ("user", "system") else ()

    def calls_in(self, message: Json) -> list[str]:
        """The ids of the tools that a message calls."""
        return [call.call for call in _calls(message)]

    def answered(self, results: Iterable[ToolAnswered]) -> Sequence[Neutral]:
        """Those results that were not told before."""
        fresh = [each for each in results if each.call not in self._results]
        self._results |= {each.call for each in fresh}
        return fresh

    def _status(self, message: Json) -> Sequence[Neutral]:
        status = message.get("status")
        if status == "in-progress":
            return (Ready(),)
        return self._ended(text_at(message, "endedReason")) if status == "ended" else ()

    def _ended(self, reason: str) -> Sequence[Neutral]:
        if not reason or reason == self._reason:
            return ()
        self._reason = reason
        told: list[Neutral] = [Ended(reason, _ended_by(reason))]
        fault = _fault(reason)
        return (fault, *told) if fault else told

    def _speech(self, message: Json) -> Sequence[Neutral]:
        stamp = number_at(message, "timestamp")
        status = message.get("status")
        if status not in ("started", "stopped"):
            return ()
        if message.get("role") == "user":
            return (UserSpeech(status, None, None, stamp),)
        if status == "started":
            self._speeches += 1
            self.speech = f"speech-{self._speeches}"
            self._is_speaking, self._was_cut = True, False
            return (ResponseStarted(self.speech, stamp),)
        if not self._is_speaking or self.speech is None:
            return ()
        self._is_speaking = False
        over: Literal["cancelled", "completed"] = "cancelled" if self._was_cut else "completed"
        reason = "user-interrupted" if self._was_cut else None
        return (ResponseEnded(self.speech, over, reason),)

    def _interrupted(self, message: Json) -> Sequence[Neutral]:
        self._was_cut = True
        return (Interrupted("provider", self.speech),)

    def _transcript(self, message: Json) -> Sequence[Neutral]:
        role, text = message.get("role"), text_at(message, "transcript")
        if role not in ("user", "assistant"):
            return ()
        is_final = message.get("transcriptType") == "final"
        self._has_words = self._has_words or is_final
        speaker: Role = role
        response = self.speech if role == "assistant" else None
        form: Literal["final", "draft"] = "final" if is_final else "draft"
        return (Words(speaker, text, form, "speech", None, response),)

    def _output(self, message: Json) -> Sequence[Neutral]:
        """Tokens of the model; a call of a tool is told by `tool-calls`, too."""
        text = message.get("output")
        if not isinstance(text, str):
            return ()
        return (
            Words("assistant", text, "piece", "text", None, text_at(message, "turnId") or None),
        )

    def _tool_calls(self, message: Json) -> Sequence[Neutral]:
        fresh = [call for call in _calls(message) if call.call not in self._called]
        self._called |= {call.call for call in fresh}
        return fresh

    def _tool_result(self, message: Json) -> Sequence[Neutral]:
        found = message.get("toolCallResult")
        result = found if isinstance(found, Mapping) else message
        output, call = result.get("result"), text_at(result, "toolCallId")
        if not call:
            return ()
        text = output if isinstance(output, str) else json.dumps(output, ensure_ascii=False)
        return self.answered((ToolAnswered(call, text, "error" in result),))

    def _report(self, call: Json) -> Sequence[Neutral]:
        """A report, or a call that has ended: why, what Vapi measured, and what was said where
        nothing told it before."""
        told: list[Neutral] = [*self._ended(text_at(call, "endedReason"))]
        if not self._has_latencies:
            latencies = _latencies(call)
            self._has_latencies = bool(latencies)
            told += latencies
        if not self._has_words:
            words = [each for each in map(_said, messages(call)) if each]
            self._has_words = bool(words)
            told += words
        return told


def stamps(type_: str, message: Json) -> Sequence[Neutral]:
    """What a message that was told before adds: a webhook has the time, a socket has not."""
    ms = number_at(message, "timestamp")
    told = (message.get("role"), message.get("status"))
    if type_ != "speech-update" or ms is None:
        return ()
    if told == ("user", "stopped"):
        return (Stamped("user stopped", ms),)
    return (Stamped("agent started", ms),) if told == ("assistant", "started") else ()


def _calls(message: Json) -> list[ToolCalled]:
    """Calls of tools: `{id, function: {name, arguments}}`, flat ones, and the old single one."""
    found = message.get("toolCallList") or message.get("toolCalls")
    calls = found if isinstance(found, list) else [message.get("functionCall")]
    told = []
    for number, call in enumerate(calls):
        function = at(call, "function") or call
        name = text_at(function, "name")
        arguments = at(function, "arguments")
        if arguments is None:
            arguments = at(function, "parameters")
        if not isinstance(arguments, str):
            arguments = json.dumps(arguments, ensure_ascii=False)
        if name:
            told.append(ToolCalled(text_at(call, "id") or f"{name}-{number}", name, arguments))
    return told


def _latencies(call: Json) -> list[Neutral]:
    turns = at(call, "artifact", "performanceMetrics", "turnLatencies")
    return [
        VendorLatency(name, ms, number)
        for number, turn in enumerate(turns if isinstance(turns, list) else (), 1)
        for name in _VENDOR
        if (ms := number_at(turn, name)) is not None
    ]


def _said(message: Json) -> Words | None:
    """One of the messages that a report lists. `duration` is in ms in reports as seen, whatever
    the document says."""
    roles: dict[str, Role] = {"user": "user", "bot": "assistant", "assistant": "assistant"}
    role, text = roles.get(text_at(message, "role")), text_at(message, "message")
    if role is None or not text:
        return None
    start, length = number_at(message, "secondsFromStart"), number_at(message, "duration")
    start_ms = None if start is None else start * 1000
    end_ms = None if start_ms is None or length is None else start_ms + length
    return Words(role, text, "final", "speech", start_ms=start_ms, end_ms=end_ms)


def _ended_by(reason: str) -> Literal["client", "provider"] | None:
    if reason.startswith("customer-"):
        return "client"
    return "provider" if reason.startswith(("assistant-", "exceeded-", "silence-")) else None


def _fault(reason: str) -> Fault | None:
    """`endedReason` says in words what failed, and whose fault it was."""
    side: Side | None = None
    if "vapifault" in reason:
        side = "provider"
    elif "providerfault" in reason:
        side = "upstream"
    if side is None and "error" not in reason and "failed" not in reason:
        return None
    class_: Class = next((found for word, found in _CLASSES if word in reason), "other")
    return Fault(class_, side, reason, reason, True)
