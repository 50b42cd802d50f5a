"""The session object: its defaults, and how an update is merged into it.

Key order, defaults and merging are those of recorded sessions: an absent key stays as it is, a
partial `turn_detection` is filled up with the defaults, empty instructions bring back the
built-in ones, `transcription` is echoed with `language` and `prompt`.
"""

from __future__ import annotations

import copy

from replay.simulators.openai import errors
from replay.simulators.openai.errors import ClientError, Json
from replay.simulators.openai.sound import PCM

INSTRUCTIONS = (
    "You are the simulated voice of a recorder of conversations. Be brief and friendly, repeat "
    "what you understood, and call a function whenever one fits the request."
)
_SERVER_VAD: Json = {
    "type": "server_vad",
    "threshold": 0.5,
    "prefix_padding_ms": 300,
    "silence_duration_ms": 500,
    "idle_timeout_ms": None,
    "create_response": True,
    "interrupt_response": True,
}
_SEMANTIC_VAD: Json = {
    "type": "semantic_vad",
    "eagerness": "auto",
    "create_response": True,
    "interrupt_response": True,
}
_REASONS = "gpt-realtime-2"


def _is_first_family(model: str) -> bool:
    return not model.startswith(_REASONS)


def _silence_ms(model: str) -> int:
    """200 for the first family, 500 for `gpt-realtime-2.1`, as recorded."""
    return 200 if _is_first_family(model) else 500


def defaults(kind: str, session_id: str, model: str, expires_at: int) -> Json:
    """A new session of `kind` `realtime` or `transcription`."""
    sound_in: Json = {
        "format": dict(PCM),
        "transcription": None,
        "noise_reduction": None,
        "turn_detection": {**_SERVER_VAD, "silence_duration_ms": _silence_ms(model)},
    }
    if kind == "transcription":
        return {
            "type": kind,
            "object": "realtime.transcription_session",
            "id": session_id,
            "expires_at": expires_at,
            "audio": {"input": sound_in},
            "include": None,
        }
    voice = "alloy" if _is_first_family(model) else "marin"
    return {
        "type": kind,
        "object": "realtime.session",
        "id": session_id,
        "model": model,
        "output_modalities": ["audio"],
        "instructions": INSTRUCTIONS,
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "tracing": None,
        "truncation": "auto",
        "prompt": None,
        "expires_at": expires_at,
        "audio": {
            "input": sound_in,
            "output": {"format": dict(PCM), "voice": voice, "speed": 1.0},
        },
        "include": None,
    }


def merged(session: Json, update: Json, voice_is_fixed: bool = False) -> Json:
    """`session` with a checked `update` on top; the original stays as it is.

    The type of a session cannot change, nor the voice once the assistant has spoken, nor tracing
    once it is on; another `model` is ignored, as clients repeat the one they know.
    """
    if update.get("type", session["type"]) != session["type"]:
        raise ClientError(
            f"Passing a {update['type']} session update to a {session['type']} session is not "
            "allowed.",
            "invalid_value",
            "session.type",
        )
    result = copy.deepcopy(session)
    _merge_top(result, update)
    audio = update.get("audio", {})
    _merge_input(result["audio"]["input"], audio.get("input", {}), session.get("model", ""))
    if "output" in audio:
        _merge_output(result["audio"]["output"], audio["output"], voice_is_fixed)
    return result


def _merge_top(result: Json, update: Json) -> None:
    for name, value in update.items():
        if name in ("type", "model", "audio"):
            continue
        if name == "instructions":
            result[name] = value or INSTRUCTIONS
        elif name == "tools":
            result[name] = [_tool(tool) for tool in value or ()]
        elif name == "tracing":
            result[name] = _tracing(result[name], value)
        elif name == "reasoning":
            _merge_reasoning(result, value)
        elif value is None and name in _NULL_MEANS:
            result[name] = _NULL_MEANS[name]
        else:
            result[name] = copy.deepcopy(value)


_NULL_MEANS = {"tool_choice": "auto", "max_output_tokens": "inf", "truncation": "auto"}


def _tool(tool: Json) -> Json:
    """A tool with its keys in the order in which the service echoes them."""
    first = [name for name in ("type", "name", "description", "parameters") if name in tool]
    rest = [name for name in tool if name not in first]
    return {name: copy.deepcopy(tool[name]) for name in (*first, *rest)}


def _tracing(current: object, wanted: object) -> object:
    if current is not None and wanted != current:
        raise ClientError(
            "Tracing cannot be changed once it is on.", "invalid_value", "session.tracing"
        )
    return copy.deepcopy(wanted)


def _merge_reasoning(result: Json, value: object) -> None:
    if value is None:
        result.pop("reasoning", None)
        return
    if _is_first_family(result["model"]):
        raise ClientError(
            f"Unsupported parameter: 'session.reasoning' is not supported with the "
            f"'{result['model']}' model.",
            "unsupported_parameter",
            "session.reasoning",
        )
    result["reasoning"] = copy.deepcopy(value)


def _merge_input(result: Json, update: Json, model: str) -> None:
    for name, value in update.items():
        if name == "turn_detection":
            result[name] = _detection(value, model)
        elif name == "transcription" and value is not None:
            base = {"model": "whisper-1", "language": None, "prompt": None}
            result[name] = {**base, **value}
        elif name == "format":
            result[name] = full_format(value)
        else:
            result[name] = copy.deepcopy(value)


def _detection(value: Json | None, model: str) -> Json | None:
    if value is None:
        return None
    semantic = value["type"] == "semantic_vad"
    base = _SEMANTIC_VAD if semantic else {**_SERVER_VAD, "silence_duration_ms": _silence_ms(model)}
    return {**base, **{name: given for name, given in value.items() if given is not None}}


def full_format(value: Json) -> Json:
    """A format with the rate that PCM has."""
    return dict(PCM) if value["type"] == "audio/pcm" else {"type": value["type"]}


def _merge_output(result: Json, update: Json, voice_is_fixed: bool) -> None:
    if voice_is_fixed and update.get("voice", result["voice"]) != result["voice"]:
        raise errors.voice_is_fixed()
    for name, value in update.items():
        result[name] = full_format(value) if name == "format" else copy.deepcopy(value)
