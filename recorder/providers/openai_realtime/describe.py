"""What a Realtime event says, in a few words: the words spoken, the call made, the reason given.

Field names: the types of openai-python (`types/realtime`, `types/beta/realtime`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

Json = Mapping[str, Any]


def describe(type_: str, message: Json) -> str:
    """The spoken or written words, the name of a function, the reason of an error; ``""`` where
    the type alone says it, and for what is not known. Pieces (deltas) are given as they are."""
    teller = _TELLERS.get(type_)
    if teller is not None:
        return teller(message)
    if type_.endswith(".delta"):
        return _string(message, "delta")
    if type_.endswith(".failed"):
        return _error(message)
    return _words(message)


def _at(message: object, *path: str) -> Any:
    for key in path:
        message = message.get(key) if isinstance(message, Mapping) else None
    return message


def _string(message: object, *path: str) -> str:
    found = _at(message, *path)
    return found if isinstance(found, str) else ""


def _list(message: object, *path: str) -> list[Any]:
    found = _at(message, *path)
    return found if isinstance(found, list) else []


def _joined(*parts: str, by: str = ", ") -> str:
    return by.join(part for part in parts if part)


def _quoted(text: str) -> str:
    return f"“{text}”" if text else ""


def _words(message: Json) -> str:
    """The text or transcript that ends a stream of deltas."""
    return _quoted(_string(message, "transcript") or _string(message, "text"))


def _error(message: Json) -> str:
    code = _string(message, "error", "code") or _string(message, "error", "type")
    return _joined(code, _string(message, "error", "message"), by=": ")


def _format(value: object) -> str:
    if isinstance(value, str):
        return value
    rate = _at(value, "rate")
    hertz = f" {rate} Hz" if isinstance(rate, int) else ""
    return _string(value, "type").removeprefix("audio/") + hertz


def _turns(value: object) -> str:
    """How turns end: null in `turn_detection` means that the client commits."""
    if value is None:
        return "manual turns"
    silence = _at(value, "silence_duration_ms")
    waits = f" {silence} ms" if isinstance(silence, int) else ""
    held = "" if _at(value, "interrupt_response") is not False else " without interruption"
    return _string(value, "type") + waits + held


def _session(message: Json) -> str:
    session = _at(message, "session")
    heard = _at(session, "audio", "input", "format") or _at(session, "input_audio_format")
    spoken = _at(session, "audio", "output", "format") or _at(session, "output_audio_format")
    turns = ""
    for holder in (_at(session, "audio", "input"), session):
        if isinstance(holder, Mapping) and "turn_detection" in holder:
            turns = _turns(holder["turn_detection"])
            break
    tools = [_tool(tool) for tool in _list(session, "tools")]
    modalities = _list(session, "output_modalities") or _list(session, "modalities")
    return _joined(
        _string(session, "model"),
        "+".join(str(one) for one in modalities),
        _joined(_named("in", _format(heard)), _named("out", _format(spoken)), by=" "),
        _string(session, "audio", "output", "voice") or _string(session, "voice"),
        turns,
        _named("tools", " ".join(tools)),
        _quoted(_string(session, "instructions")),
    )


def _named(name: str, text: str) -> str:
    return f"{name} {text}" if text else ""


def _tool(tool: object) -> str:
    return _string(tool, "name") or _string(tool, "server_label") or _string(tool, "type")


def _item(message: Json) -> str:
    return _item_words(_at(message, "item"))


def _item_words(item: object) -> str:
    kind = _string(item, "type")
    if kind in ("function_call", "mcp_call"):
        return _call(_string(item, "name"), _string(item, "arguments"))
    if kind == "function_call_output":
        return _joined(_string(item, "call_id"), _string(item, "output"), by=" = ")
    if kind == "message":
        return _joined(
            _string(item, "role"), *(_content(part) for part in _list(item, "content")), by=" "
        )
    return kind


def _content(part: object) -> str:
    words = _string(part, "text") or _string(part, "transcript")
    return _quoted(words) if words else f"[{_string(part, 'type')}]"


def _call(name: str, arguments: str) -> str:
    return f"{name}({arguments})" if name else arguments


def _arguments(message: Json) -> str:
    return _call(_string(message, "name"), _string(message, "arguments"))


def _asked(message: Json) -> str:
    """`response.create`: what differs from the session's own settings."""
    response = _at(message, "response")
    apart = "out of band" if _at(response, "conversation") == "none" else ""
    modalities = _list(response, "output_modalities") or _list(response, "modalities")
    metadata = _at(response, "metadata")
    return _joined(
        apart,
        "+".join(str(one) for one in modalities),
        _quoted(_string(response, "instructions")),
        _named("input", " ".join(_item_words(item) for item in _list(response, "input"))),
        json.dumps(metadata, ensure_ascii=False) if metadata else "",
    )


def _answered(message: Json) -> str:
    response = _at(message, "response")
    details = _at(response, "status_details")
    failed = isinstance(_at(details, "error"), Mapping)
    reason = _error(details) if failed else _string(details, "reason")
    outputs = [_item_words(item) for item in _list(response, "output")]
    return _joined(
        _joined(_string(response, "status"), _named("as", reason), by=" "),
        _usage(_at(response, "usage")),
        *outputs,
    )


def _usage(usage: object) -> str:
    """`input→output tokens`, by modality where it is told; ``""`` where it is not reported."""
    if _at(usage, "type") == "duration":
        return f"{_at(usage, 'seconds')} s transcribed"
    taken, given = _at(usage, "input_tokens"), _at(usage, "output_tokens")
    if not isinstance(taken, int) or not isinstance(given, int):
        return ""
    inside = _shares(_at(usage, "input_token_details"))
    outside = _shares(_at(usage, "output_token_details"))
    return f"tokens {taken}{inside} in, {given}{outside} out"


def _shares(details: object) -> str:
    named = [
        f"{count} {name}"
        for name in ("text", "audio", "image", "cached", "reasoning")
        if isinstance(count := _at(details, f"{name}_tokens"), int) and count
    ]
    return f" ({', '.join(named)})" if named else ""


def _transcribed(message: Json) -> str:
    return _joined(_words(message), _usage(_at(message, "usage")))


def _truncated(message: Json) -> str:
    end = _at(message, "audio_end_ms")
    heard = f"heard {end} ms" if isinstance(end, int) else ""
    return _joined(_string(message, "item_id"), heard)


def _speech(message: Json) -> str:
    """Where speech began or ended, on the provider's clock of audio that was appended."""
    start, end = _at(message, "audio_start_ms"), _at(message, "audio_end_ms")
    known = [f"{ms} ms" for ms in (start, end) if isinstance(ms, int)]
    return _named("at", " to ".join(known))


def _limits(message: Json) -> str:
    return _joined(
        *(
            f"{_at(limit, 'remaining')} of {_at(limit, 'limit')} {_string(limit, 'name')} left"
            for limit in _list(message, "rate_limits")
        )
    )


def _part(message: Json) -> str:
    return _content(_at(message, "part"))


def _id(*path: str) -> Callable[[Json], str]:
    return lambda message: _string(message, *path)


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
