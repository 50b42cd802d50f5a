"""What Realtime events mean, in neutral messages. GA and beta names alike.

Field names: the types of openai-python (`types/realtime`, `types/beta/realtime`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from recorder.events import Event
from recorder.heads import ResponseHead
from recorder.providers.closing import closed
from recorder.providers.fields import at, number_at, text_at
from recorder.providers.neutral import (
    Asked,
    Committed,
    Configured,
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
            "error": lambda message: (failed(at(message, "error")),),
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
                Committed(text_at(message, "item_id") or None),
            ),
            "input_audio_buffer.commit": lambda message: (HandedOver(),),
            "response.create": lambda message: (Asked(),),
            "response.cancel": lambda message: (
                Interrupted("client", text_at(message, "response_id") or None),
            ),
            "response.created": lambda message: (
                ResponseStarted(text_at(message, "response", "id")),
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
            return closed(event)
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
        item = at(message, "item")
        if text_at(item, "type") == "function_call":
            self._names[text_at(item, "call_id")] = text_at(item, "name")
        return _seen(message)

    def _arguments(self, message: Json) -> Sequence[Neutral]:
        call = text_at(message, "call_id")
        name = text_at(message, "name") or self._names.get(call, "")
        return self._call(
            call, name, text_at(message, "arguments"), text_at(message, "response_id") or None
        )

    def _item_done(self, message: Json) -> Sequence[Neutral]:
        """An item that is a call; one that the provider made itself (MCP) has its result, too."""
        item, response = at(message, "item"), text_at(message, "response_id") or None
        kind, name = text_at(item, "type"), text_at(item, "name")
        if kind == "function_call":
            return self._call(text_at(item, "call_id"), name, text_at(item, "arguments"), response)
        if kind == "mcp_call":
            call, error = text_at(item, "id"), at(item, "error")
            output = text_at(item, "output") or text_at(error, "message")
            told = self._call(call, name, text_at(item, "arguments"), response)
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


def _created(message: Json) -> Sequence[Neutral]:
    """An item that the client adds: typed words, or the result of a function."""
    item = at(message, "item")
    if text_at(item, "type") == "function_call_output":
        return (ToolAnswered(text_at(item, "call_id"), text_at(item, "output")),)
    parts = at(item, "content")
    role = text_at(item, "role")
    if text_at(item, "type") != "message" or role not in ("user", "assistant", "system"):
        return ()
    words = " ".join(
        text_at(part, "text") for part in (parts if isinstance(parts, list) else ()) if part
    ).strip()
    speaker: Role = role  # type: ignore[assignment]
    return (Words(speaker, words, "final", "text", text_at(item, "id") or None),) if words else ()


def _seen(message: Json) -> Sequence[Neutral]:
    item = at(message, "item")
    name = text_at(item, "id")
    role, response = text_at(item, "role") or None, text_at(message, "response_id") or None
    return (ItemSeen(name, text_at(item, "type"), role, response),) if name else ()


def _cut(message: Json) -> Sequence[Neutral]:
    ms = number_at(message, "audio_end_ms")
    return (HeardUntil(text_at(message, "item_id"), ms),) if ms is not None else ()


def _user(form: Literal["piece", "final"], key: str) -> Callable[[Json], Sequence[Neutral]]:
    def read(message: Json) -> Sequence[Neutral]:
        item = text_at(message, "item_id") or None
        return (Words("user", text_at(message, key), form, "speech", item),)

    return read


def _untranscribed(message: Json) -> Sequence[Neutral]:
    fault = failed(at(message, "error"))
    return (fault._replace(class_="transcriber", side="provider"),)


def _agent(
    form: Literal["piece", "final"], key: str, via: Literal["speech", "text"]
) -> Callable[[Json], Sequence[Neutral]]:
    def read(message: Json) -> Sequence[Neutral]:
        item, response = text_at(message, "item_id"), text_at(message, "response_id")
        words = text_at(message, key)
        return (Words("assistant", words, form, via, item or None, response or None),)

    return read


def _speech(edge: Literal["started", "stopped"], key: str) -> Callable[[Json], Sequence[Neutral]]:
    def read(message: Json) -> Sequence[Neutral]:
        return (UserSpeech(edge, text_at(message, "item_id") or None, number_at(message, key)),)

    return read


def _voiced(message: Json) -> Sequence[Neutral]:
    return (Voiced(text_at(message, "item_id") or None, text_at(message, "response_id") or None),)


def _done(message: Json) -> Sequence[Neutral]:
    response = at(message, "response")
    name, status = text_at(response, "id"), text_at(response, "status")
    details = at(response, "status_details")
    if status not in _STATUSES:
        return (Unknown("response.done"),)
    reason = text_at(details, "reason") or text_at(details, "error", "code") or None
    told: list[Neutral] = [ResponseEnded(name, status, reason)]  # type: ignore[arg-type]
    if status == "failed":
        told.append(failed(at(details, "error"), "model"))
    if status == "cancelled" and reason == "turn_detected":
        told.append(Interrupted("provider", name))
    return told
