"""What Realtime events mean, in neutral messages. GA and beta names alike.

Field names: the types of openai-python (`types/realtime`, `types/beta/realtime`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from recorder.events import Event
from recorder.heads import Close, ResponseHead
from recorder.providers.neutral import (
    Asked,
    Committed,
    Configured,
    Ended,
    Fault,
    HandedOver,
    HeardUntil,
    Interrupted,
    ItemSeen,
    Neutral,
    Ready,
    ResponseEnded,
    ResponseStarted,
    Role,
    ToolAnswered,
    ToolCalled,
    Unknown,
    UserSpeech,
    Voiced,
    Words,
)
from recorder.providers.openai_realtime.capture import AUDIO_KEYS, parse
from recorder.providers.openai_realtime.faults import failed, refused

Json = Mapping[str, Any]
_APPENDS = frozenset({"input_audio_buffer.append", "session.input_audio_buffer.append"})
_STATUSES = frozenset({"completed", "cancelled", "incomplete", "failed"})
# Known, and without a meaning here.
_SILENT = frozenset(
    {
        *_APPENDS,
        *AUDIO_KEYS,
        "transcription_session.created",
        "transcription_session.update",
        "transcription_session.updated",
        "conversation.created",
        "conversation.item.done",
        "conversation.item.retrieve",
        "conversation.item.retrieved",
        "conversation.item.truncated",
        "conversation.item.delete",
        "conversation.item.deleted",
        "conversation.item.input_audio_transcription.segment",
        "input_audio_buffer.clear",
        "input_audio_buffer.cleared",
        "input_audio_buffer.timeout_triggered",
        "input_audio_buffer.dtmf_event_received",
        "output_audio_buffer.clear",
        "output_audio_buffer.started",
        "output_audio_buffer.stopped",
        "output_audio_buffer.cleared",
        "response.content_part.added",
        "response.content_part.done",
        "response.output_audio.done",
        "response.audio.done",
        "response.function_call_arguments.delta",
        "response.mcp_call_arguments.delta",
        "response.mcp_call_arguments.done",
        "response.mcp_call.in_progress",
        "response.mcp_call.completed",
        "response.mcp_call.failed",
        "mcp_list_tools.in_progress",
        "mcp_list_tools.completed",
        "mcp_list_tools.failed",
        "rate_limits.updated",
    }
)


class RealtimeDecoder:
    """A `Decoder` for one session."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}  # call -> name of its function
        self._called: set[str] = set()
        self._readers: dict[str, Callable[[Json], Sequence[Neutral]]] = {
            "error": lambda message: (failed(_at(message, "error")),),
            "session.created": lambda message: (Ready(),),
            "session.update": lambda message: (Configured("asked"),),
            "session.updated": lambda message: (Configured("done"),),
            "conversation.item.create": _created,
            "conversation.item.created": _seen,
            "conversation.item.added": _seen,
            "conversation.item.truncate": _cut,
            "conversation.item.input_audio_transcription.delta": _user("piece", "delta"),
            "conversation.item.input_audio_transcription.completed": _user("final", "transcript"),
            "conversation.item.input_audio_transcription.failed": _untranscribed,
            "input_audio_buffer.speech_started": _speech("started", "audio_start_ms"),
            "input_audio_buffer.speech_stopped": _speech("stopped", "audio_end_ms"),
            "input_audio_buffer.committed": lambda message: (
                Committed(_text(message, "item_id") or None),
            ),
            "input_audio_buffer.commit": lambda message: (HandedOver(),),
            "response.create": lambda message: (Asked(),),
            "response.cancel": lambda message: (
                Interrupted("client", _text(message, "response_id") or None),
            ),
            "response.created": lambda message: (
                ResponseStarted(_text(message, "response", "id")),
            ),
            "response.done": _done,
            "response.output_item.added": self._item_added,
            "response.output_item.done": self._item_done,
            "response.function_call_arguments.done": self._arguments,
            "response.output_audio.delta": _voiced,
            "response.audio.delta": _voiced,
            "response.output_audio_transcript.delta": _agent("piece", "delta", "speech"),
            "response.audio_transcript.delta": _agent("piece", "delta", "speech"),
            "response.output_audio_transcript.done": _agent("final", "transcript", "speech"),
            "response.audio_transcript.done": _agent("final", "transcript", "speech"),
            "response.output_text.delta": _agent("piece", "delta", "text"),
            "response.text.delta": _agent("piece", "delta", "text"),
            "response.output_text.done": _agent("final", "text", "text"),
            "response.text.done": _agent("final", "text", "text"),
        }

    def decode(self, event: Event) -> Sequence[Neutral]:
        if event.kind == "ws.text":
            return self._read(event)
        if event.kind == "ws.close":
            return _closed(event)
        if event.kind == "http.response" or (event.kind, event.sender) == ("ws.open", "provider"):
            return refused(ResponseHead.decode(event.body))
        return ()

    def _read(self, event: Event) -> Sequence[Neutral]:
        if event.type in _APPENDS:
            return ()
        reader = self._readers.get(event.type)
        if reader is None:
            return () if event.type in _SILENT else (Unknown(event.type),)
        message = parse(event.body)
        return reader(message) if isinstance(message, Mapping) else (Unknown(event.type),)

    def _item_added(self, message: Json) -> Sequence[Neutral]:
        item = _at(message, "item")
        if _text(item, "type") == "function_call":
            self._names[_text(item, "call_id")] = _text(item, "name")
        return _seen(message)

    def _arguments(self, message: Json) -> Sequence[Neutral]:
        call = _text(message, "call_id")
        name = _text(message, "name") or self._names.get(call, "")
        return self._call(
            call, name, _text(message, "arguments"), _text(message, "response_id") or None
        )

    def _item_done(self, message: Json) -> Sequence[Neutral]:
        """An item that is a call; one that the provider made itself (MCP) has its result, too."""
        item, response = _at(message, "item"), _text(message, "response_id") or None
        kind, name = _text(item, "type"), _text(item, "name")
        if kind == "function_call":
            return self._call(_text(item, "call_id"), name, _text(item, "arguments"), response)
        if kind == "mcp_call":
            call, error = _text(item, "id"), _at(item, "error")
            output = _text(item, "output") or _text(error, "message")
            told = self._call(call, name, _text(item, "arguments"), response)
            return (*told, ToolAnswered(call, output, error is not None))
        return ()

    def _call(
        self, call: str, name: str, arguments: str, response: str | None
    ) -> Sequence[Neutral]:
        """Calls are told twice: by their arguments and by the item; the first counts."""
        if not call or call in self._called:
            return ()
        self._called.add(call)
        return (ToolCalled(call, name, arguments, response),)


def _at(message: object, *path: str) -> Any:
    for key in path:
        message = message.get(key) if isinstance(message, Mapping) else None
    return message


def _text(message: object, *path: str) -> str:
    found = _at(message, *path)
    return found if isinstance(found, str) else ""


def _number(message: object, name: str) -> float | None:
    found = _at(message, name)
    return float(found) if isinstance(found, int | float) else None


def _created(message: Json) -> Sequence[Neutral]:
    """An item that the client adds: typed words, or the result of a function."""
    item = _at(message, "item")
    if _text(item, "type") == "function_call_output":
        return (ToolAnswered(_text(item, "call_id"), _text(item, "output")),)
    parts = _at(item, "content")
    role = _text(item, "role")
    if _text(item, "type") != "message" or role not in ("user", "assistant", "system"):
        return ()
    words = " ".join(
        _text(part, "text") for part in (parts if isinstance(parts, list) else ()) if part
    ).strip()
    speaker: Role = role  # type: ignore[assignment]
    return (Words(speaker, words, "final", "text", _text(item, "id") or None),) if words else ()


def _seen(message: Json) -> Sequence[Neutral]:
    item = _at(message, "item")
    name = _text(item, "id")
    role, response = _text(item, "role") or None, _text(message, "response_id") or None
    return (ItemSeen(name, _text(item, "type"), role, response),) if name else ()


def _cut(message: Json) -> Sequence[Neutral]:
    ms = _number(message, "audio_end_ms")
    return (HeardUntil(_text(message, "item_id"), ms),) if ms is not None else ()


def _user(form: Literal["piece", "final"], key: str) -> Callable[[Json], Sequence[Neutral]]:
    def read(message: Json) -> Sequence[Neutral]:
        item = _text(message, "item_id") or None
        return (Words("user", _text(message, key), form, "speech", item),)

    return read


def _untranscribed(message: Json) -> Sequence[Neutral]:
    fault = failed(_at(message, "error"))
    return (fault._replace(class_="transcriber", side="provider"),)


def _agent(
    form: Literal["piece", "final"], key: str, via: Literal["speech", "text"]
) -> Callable[[Json], Sequence[Neutral]]:
    def read(message: Json) -> Sequence[Neutral]:
        item, response = _text(message, "item_id"), _text(message, "response_id")
        words = _text(message, key)
        return (Words("assistant", words, form, via, item or None, response or None),)

    return read


def _speech(edge: Literal["started", "stopped"], key: str) -> Callable[[Json], Sequence[Neutral]]:
    def read(message: Json) -> Sequence[Neutral]:
        return (UserSpeech(edge, _text(message, "item_id") or None, _number(message, key)),)

    return read


def _voiced(message: Json) -> Sequence[Neutral]:
    return (Voiced(_text(message, "item_id") or None, _text(message, "response_id") or None),)


def _done(message: Json) -> Sequence[Neutral]:
    response = _at(message, "response")
    name, status = _text(response, "id"), _text(response, "status")
    details = _at(response, "status_details")
    if status not in _STATUSES:
        return (Unknown("response.done"),)
    reason = _text(details, "reason") or _text(details, "error", "code") or None
    told: list[Neutral] = [ResponseEnded(name, status, reason)]  # type: ignore[arg-type]
    if status == "failed":
        told.append(failed(_at(details, "error"), "model"))
    if status == "cancelled" and reason == "turn_detected":
        told.append(Interrupted("provider", name))
    return told


def _closed(event: Event) -> Sequence[Neutral]:
    close = Close.decode(event.body)
    by: Literal["client", "provider"] = "client" if event.sender == "client" else "provider"
    told: list[Neutral] = [Ended(f"{close.code} {close.reason}".strip(), by)]
    if close.code not in (1000, 1001, 1005):
        side: Literal["client", "provider"] = by
        text = close.reason or "the connection broke off"
        told.insert(0, Fault("transport", side, str(close.code), text, True))
    return told
