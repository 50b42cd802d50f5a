"""What a Realtime event says, in a few words: the words spoken, the call made, the reason given.

Field names: the types of openai-python (`types/realtime`, `types/beta/realtime`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from recorder.providers.fields import at, list_at, text_at

Json = Mapping[str, Any]


def describe(type_: str, message: Json) -> str:
    """The spoken or written words, the name of a function, the reason of an error; ``""`` where
    the type alone says it, and for what is not known. Pieces (deltas) are given as they are."""
    teller = _TELLERS.get(type_)
    if teller is not None:
        return teller(message)
    if type_.endswith(".delta"):
        return text_at(message, "delta")
    if type_.endswith(".failed"):
        return _error(message)
    return _words(message)


def _joined(*parts: str, by: str = ", ") -> str:
    return by.join(part for part in parts if part)


def _quoted(text: str) -> str:
    return f"“{text}”" if text else ""


def _words(message: Json) -> str:
    """The text or transcript that ends a stream of deltas."""
    return _quoted(text_at(message, "transcript") or text_at(message, "text"))


def _error(message: Json) -> str:
    code = text_at(message, "error", "code") or text_at(message, "error", "type")
    return _joined(code, text_at(message, "error", "message"), by=": ")


def _format(value: object) -> str:
    if isinstance(value, str):
        return value
    rate = at(value, "rate")
    hertz = f" {rate} Hz" if isinstance(rate, int) else ""
    return text_at(value, "type").removeprefix("audio/") + hertz


def _turns(value: object) -> str:
    """How turns end: null in `turn_detection` means that the client commits."""
    if value is None:
        return "manual turns"
    silence = at(value, "silence_duration_ms")
    waits = f" {silence} ms" if isinstance(silence, int) else ""
    held = "" if at(value, "interrupt_response") is not False else " without interruption"
    return text_at(value, "type") + waits + held


def _session(message: Json) -> str:
    session = at(message, "session")
    heard = at(session, "audio", "input", "format") or at(session, "input_audio_format")
    spoken = at(session, "audio", "output", "format") or at(session, "output_audio_format")
    turns = ""
    for holder in (at(session, "audio", "input"), session):
        if isinstance(holder, Mapping) and "turn_detection" in holder:
            turns = _turns(holder["turn_detection"])
            break
    tools = [_tool(tool) for tool in list_at(session, "tools")]
    modalities = list_at(session, "output_modalities") or list_at(session, "modalities")
    return _joined(
        text_at(session, "model"),
        "+".join(str(one) for one in modalities),
        _joined(_named("in", _format(heard)), _named("out", _format(spoken)), by=" "),
        text_at(session, "audio", "output", "voice") or text_at(session, "voice"),
        turns,
        _named("tools", " ".join(tools)),
        _quoted(text_at(session, "instructions")),
    )


def _named(name: str, text: str) -> str:
    return f"{name} {text}" if text else ""


def _tool(tool: object) -> str:
    return text_at(tool, "name") or text_at(tool, "server_label") or text_at(tool, "type")


def _item(message: Json) -> str:
    return _item_words(at(message, "item"))


def _item_words(item: object) -> str:
    kind = text_at(item, "type")
    if kind in ("function_call", "mcp_call"):
        return _call(text_at(item, "name"), text_at(item, "arguments"))
    if kind == "function_call_output":
        return _joined(text_at(item, "call_id"), text_at(item, "output"), by=" = ")
    if kind == "message":
        return _joined(
            text_at(item, "role"), *(_content(part) for part in list_at(item, "content")), by=" "
        )
    return kind


def _content(part: object) -> str:
    words = text_at(part, "text") or text_at(part, "transcript")
    return _quoted(words) if words else f"[{text_at(part, 'type')}]"


def _call(name: str, arguments: str) -> str:
    return f"{name}({arguments})" if name else arguments


def _arguments(message: Json) -> str:
    return _call(text_at(message, "name"), text_at(message, "arguments"))


def _asked(message: Json) -> str:
    """`response.create`: what differs from the session's own settings."""
    response = at(message, "response")
    apart = "out of band" if at(response, "conversation") == "none" else ""
    modalities = list_at(response, "output_modalities") or list_at(response, "modalities")
    metadata = at(response, "metadata")
    return _joined(
        apart,
        "+".join(str(one) for one in modalities),
        _quoted(text_at(response, "instructions")),
        _named("input", " ".join(_item_words(item) for item in list_at(response, "input"))),
        json.dumps(metadata, ensure_ascii=False) if metadata else "",
    )


def _answered(message: Json) -> str:
    response = at(message, "response")
    details = at(response, "status_details")
    failed = isinstance(at(details, "error"), Mapping)
    reason = _error(details) if failed else text_at(details, "reason")
    outputs = [_item_words(item) for item in list_at(response, "output")]
    return _joined(
        _joined(text_at(response, "status"), _named("as", reason), by=" "),
        _usage(at(response, "usage")),
        *outputs,
    )


def _usage(usage: object) -> str:
    """`input→output tokens`, by modality where it is told; ``""`` where it is not reported."""
    if at(usage, "type") == "duration":
        return f"{at(usage, 'seconds')} s transcribed"
    taken, given = at(usage, "input_tokens"), at(usage, "output_tokens")
    if not isinstance(taken, int) or not isinstance(given, int):
        return ""
    inside = _shares(at(usage, "input_token_details"))
    outside = _shares(at(usage, "output_token_details"))
    return f"tokens {taken}{inside} in, {given}{outside} out"


def _shares(details: object) -> str:
    named = [
        f"{count} {name}"
        for name in ("text", "audio", "image", "cached", "reasoning")
        if isinstance(count := at(details, f"{name}_tokens"), int) and count
    ]
    return f" ({', '.join(named)})" if named else ""


def _transcribed(message: Json) -> str:
    return _joined(_words(message), _usage(at(message, "usage")))


def _truncated(message: Json) -> str:
    end = at(message, "audio_end_ms")
    heard = f"heard {end} ms" if isinstance(end, int) else ""
    return _joined(text_at(message, "item_id"), heard)


def _speech(message: Json) -> str:
    """Where speech began or ended, on the provider's clock of audio that was appended."""
    start, end = at(message, "audio_start_ms"), at(message, "audio_end_ms")
    known = [f"{ms} ms" for ms in (start, end) if isinstance(ms, int)]
    return _named("at", " to ".join(known))


def _limits(message: Json) -> str:
    return _joined(
        *(
            f"{at(limit, 'remaining')} of {at(limit, 'limit')} {text_at(limit, 'name')} left"
            for limit in list_at(message, "rate_limits")
        )
    )


def _part(message: Json) -> str:
    return _content(at(message, "part"))


def _id(*path: str) -> Callable[[Json], str]:
    return lambda message: text_at(message, *path)


_TELLERS: dict[str, Callable[[Json], str]] = {
    "error": _error,
    "session.created": _session,
    "session.update": _session,
    "session.updated": _session,
    "transcription_session.created": _session,
    "transcription_session.update": _session,
    "transcription_session.updated": _session,
    "conversation.item.create": _item,
    "conversation.item.created": _item,
    "conversation.item.added": _item,
    "conversation.item.done": _item,
    "conversation.item.retrieved": _item,
    "conversation.item.retrieve": _id("item_id"),
    "conversation.item.delete": _id("item_id"),
    "conversation.item.deleted": _id("item_id"),
    "conversation.item.truncate": _truncated,
    "conversation.item.truncated": _truncated,
    "conversation.item.input_audio_transcription.completed": _transcribed,
    "input_audio_buffer.append": lambda message: "",
    "session.input_audio_buffer.append": lambda message: "",
    "input_audio_buffer.speech_started": _speech,
    "input_audio_buffer.speech_stopped": _speech,
    "input_audio_buffer.timeout_triggered": _speech,
    "input_audio_buffer.committed": _id("item_id"),
    "input_audio_buffer.dtmf_event_received": _id("event"),
    "response.create": _asked,
    "response.cancel": _id("response_id"),
    "response.created": _id("response", "id"),
    "response.done": _answered,
    "response.output_item.added": _item,
    "response.output_item.done": _item,
    "response.content_part.added": _part,
    "response.content_part.done": _part,
    "response.function_call_arguments.done": _arguments,
    "response.mcp_call_arguments.done": _arguments,
    "rate_limits.updated": _limits,
}
