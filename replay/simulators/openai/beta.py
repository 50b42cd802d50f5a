"""The beta dialect: its client events turned into GA ones, and GA server events into its own.

The mapping is that of the published types of both (openai-python, `types/realtime` and
`types/beta/realtime`); the order of a closing without `conversation.item.done` is recorded.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

from replay.simulators.openai.errors import Json
from replay.simulators.openai.schema import Check
from replay.simulators.openai.shapes import BETA_EVENTS

_FORMATS = {"pcm16": "audio/pcm", "g711_ulaw": "audio/pcmu", "g711_alaw": "audio/pcma"}
_BETA_FORMATS = {name: beta for beta, name in _FORMATS.items()}
_TEMPERATURE = 0.8

_RENAMED = {
    f"response.output_{kind}.{end}": f"response.{kind}.{end}"
    for kind in ("text", "audio", "audio_transcript")
    for end in ("delta", "done")
} | {"conversation.item.added": "conversation.item.created"}
_PARTS = {"text": "output_text", "audio": "output_audio"}
_BETA_PARTS = {name: beta for beta, name in _PARTS.items()}


def own_check(type_: str) -> Check | None:
    """The check of a client event that has a shape of its own in beta; None for the others."""
    return BETA_EVENTS.get(type_)


def to_ga(event: Json) -> Json:
    """A client event of the beta dialect as the GA event that means the same."""
    type_ = event.get("type")
    if type_ == "session.update":
        return {**event, "session": _nested("realtime", event["session"])}
    if type_ == "transcription_session.update":
        nested = _nested("transcription", event["session"])
        return {**event, "type": "session.update", "session": nested}
    if type_ == "response.create" and isinstance(event.get("response"), dict):
        return {**event, "response": _nested_response(event["response"])}
    if type_ == "conversation.item.create" and isinstance(event.get("item"), dict):
        return {**event, "item": _ga_item(event["item"])}
    return event


def _nested(kind: str, flat: Json) -> Json:
    session: Json = {"type": kind}
    sound_in: Json = {}
    sound_out: Json = {}
    for name, value in flat.items():
        if name in ("client_secret", "temperature"):
            continue
        if name == "modalities":
            session["output_modalities"] = ["audio" if "audio" in value else "text"]
        elif name == "max_response_output_tokens":
            session["max_output_tokens"] = value
        elif name == "input_audio_format":
            sound_in["format"] = {"type": _FORMATS[value]}
        elif name == "output_audio_format":
            sound_out["format"] = {"type": _FORMATS[value]}
        elif name in ("voice", "speed"):
            sound_out[name] = value
        elif name == "turn_detection":
            sound_in[name] = value
        elif name.startswith("input_audio_"):
            sound_in[name.removeprefix("input_audio_")] = value
        else:
            session[name] = value
    sides = {"input": sound_in, "output": sound_out}
    session["audio"] = {side: given for side, given in sides.items() if given}
    return session


def _nested_response(flat: Json) -> Json:
    response = {
        name: value
        for name, value in flat.items()
        if name not in ("modalities", "voice", "output_audio_format", "temperature")
    }
    if "max_response_output_tokens" in response:
        response["max_output_tokens"] = response.pop("max_response_output_tokens")
    if "modalities" in flat:
        response["output_modalities"] = ["audio" if "audio" in flat["modalities"] else "text"]
    output: Json = {"voice": flat["voice"]} if "voice" in flat else {}
    if "output_audio_format" in flat:
        form = flat["output_audio_format"]
        output["format"] = {"type": _FORMATS.get(form, form)}
    if output:
        response["audio"] = {"output": output}
    if isinstance(flat.get("input"), list):
        response["input"] = [
            _ga_item(item) if isinstance(item, dict) else item for item in flat["input"]
        ]
    return response


def _ga_item(item: Json) -> Json:
    if item.get("role") != "assistant" or not isinstance(item.get("content"), list):
        return item
    parts = [
        {**part, "type": _PARTS.get(str(part.get("type")), part.get("type"))}
        if isinstance(part, dict)
        else part
        for part in item["content"]
    ]
    return {**item, "content": parts}


def from_ga(event: Json) -> Json | None:
    """A GA server event as the beta dialect says it; None where it says nothing."""
    type_ = event["type"]
    if type_ == "conversation.item.done":
        return None
    said = copy.deepcopy(event)
    said["type"] = _RENAMED.get(type_, type_)
    said.pop("obfuscation", None)
    if type_ == "response.function_call_arguments.done":
        said.pop("name")
    for name, translate in _TRANSLATED.items():
        if name in said:
            said[name] = translate(said[name])
    if type_.startswith("session.") and "modalities" not in said["session"]:
        said["type"] = f"transcription_{type_}"
    return said


def _beta_item(item: Json) -> Json:
    head = {"id": item["id"], "object": "realtime.item"}
    result = {**head, **{name: value for name, value in item.items() if name != "id"}}
    for part in result.get("content", ()):
        if item.get("role") == "assistant":
            part["type"] = _BETA_PARTS.get(part["type"], part["type"])
    return result


def _beta_response(response: Json) -> Json:
    output = response["audio"]["output"]
    spoken = "audio" in response["output_modalities"]
    return {
        "object": response["object"],
        "id": response["id"],
        "status": response["status"],
        "status_details": response["status_details"],
        "output": [_beta_item(item) for item in response["output"]],
        "conversation_id": response["conversation_id"],
        "modalities": ["text", "audio"] if spoken else ["text"],
        "voice": output["voice"],
        "output_audio_format": _BETA_FORMATS[output["format"]["type"]],
        "temperature": _TEMPERATURE,
        "max_output_tokens": response["max_output_tokens"],
        "usage": response["usage"],
        "metadata": response["metadata"],
    }


def flat_session(session: Json) -> Json:
    """The session object of the beta dialect."""
    sound_in = session["audio"]["input"]
    listening = {
        "turn_detection": sound_in["turn_detection"],
        "input_audio_format": _BETA_FORMATS[sound_in["format"]["type"]],
        "input_audio_transcription": sound_in["transcription"],
    }
    head = {"id": session["id"], "object": session["object"]}
    tail = {
        "input_audio_noise_reduction": sound_in["noise_reduction"],
        "client_secret": None,
        "expires_at": session["expires_at"],
        "include": session["include"],
    }
    if session["type"] == "transcription":
        return {**head, **listening, **tail}
    output = session["audio"]["output"]
    spoken = "audio" in session["output_modalities"]
    return {
        **head,
        "model": session["model"],
        "modalities": ["audio", "text"] if spoken else ["text"],
        "instructions": session["instructions"],
        "voice": output["voice"],
        "output_audio_format": _BETA_FORMATS[output["format"]["type"]],
        **listening,
        "tools": session["tools"],
        "tool_choice": session["tool_choice"],
        "temperature": _TEMPERATURE,
        "max_response_output_tokens": session["max_output_tokens"],
        "speed": output["speed"],
        "tracing": session["tracing"],
        **tail,
    }


_TRANSLATED: dict[str, Callable[[Json], Json]] = {
    "item": _beta_item,
    "response": _beta_response,
    "session": flat_session,
}
