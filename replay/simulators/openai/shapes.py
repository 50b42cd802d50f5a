"""The shapes of client events, as checks: sessions (GA and beta), items, responses, events.

Fields and ranges are those of the API's published types (openai-python, `types/realtime` and
`types/beta/realtime`).
"""

from __future__ import annotations

from collections.abc import Mapping

from replay.simulators.openai.errors import ClientError
from replay.simulators.openai.schema import (
    Check,
    anything,
    array,
    boolean,
    by_type,
    choice,
    mapping,
    nullable,
    number,
    pairs,
    record,
    string,
    tagged,
    word_or,
)

_text = string()
_integer = number(0, 2**31, whole=True)

FORMAT = tagged(
    {
        "audio/pcm": record({"type": _text, "rate": number(24_000, 24_000, whole=True)}),
        "audio/pcmu": record({"type": _text}),
        "audio/pcma": record({"type": _text}),
    }
)
TRANSCRIPTION = record(
    {
        "model": _text,
        "language": nullable(_text),
        "prompt": nullable(_text),
        "languages": nullable(array(_text)),
        "keywords": nullable(array(_text)),
        "delay": nullable(choice("minimal", "low", "medium", "high", "xhigh")),
    },
)
NOISE_REDUCTION = record(
    {"type": choice("near_field", "far_field"), "strength": nullable(number(0, 1))},
)
TURN_DETECTION = tagged(
    {
        "server_vad": record(
            {
                "type": _text,
                "threshold": nullable(number(0, 1)),
                "prefix_padding_ms": nullable(number(0, 5_000, whole=True)),
                "silence_duration_ms": nullable(number(0, 10_000, whole=True)),
                "idle_timeout_ms": nullable(number(5_000, 30_000, whole=True)),
                "create_response": nullable(boolean),
                "interrupt_response": nullable(boolean),
            }
        ),
        "semantic_vad": record(
            {
                "type": _text,
                "eagerness": nullable(choice("low", "medium", "high", "auto")),
                "create_response": nullable(boolean),
                "interrupt_response": nullable(boolean),
            }
        ),
    }
)
VOICE = by_type({str: _text, dict: record({"id": _text}, ("id",))}, "a string or an object")


def json_schema(value: object, path: str) -> None:
    """A JSON schema whose keywords have the right types, at most 32 levels deep."""
    _schema(value, path, 32)


def _schema(value: object, path: str, levels: int) -> None:
    if isinstance(value, bool):
        return
    if not levels:
        raise ClientError(
            f"Invalid '{path}': the schema nests too deep.", "invalid_function_parameters", path
        )

    def inner(part: object, where: str) -> None:
        _schema(part, where, levels - 1)

    named, listed = mapping(inner), array(inner, least=1)
    record(
        {
            "type": by_type({str: _text, list: array(_text, least=1)}, "a string or an array"),
            "properties": named,
            "$defs": named,
            "definitions": named,
            "items": inner,
            **dict.fromkeys(("anyOf", "oneOf", "allOf"), listed),
            "enum": array(anything, least=1),
            "examples": array(anything),
            "required": array(_text),
            **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems"), _integer),
            **dict.fromkeys(_NUMERIC_KEYWORDS, number(-1e300, 1e300)),
            "multipleOf": number(1e-300, 1e300),
            "format": _text,
        },
        closed=False,
    )(value, path)


_NUMERIC_KEYWORDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")

TOOL = tagged(
    {
        "function": record(
            {"type": _text, "name": string(64), "description": nullable(_text)}
            | {"parameters": nullable(json_schema), "strict": nullable(boolean)},
            ("name",),
        ),
        "mcp": record({}, ("server_label",), closed=False),
    }
)
_NAMED_CHOICE = tagged(
    {
        "function": record({"type": _text, "name": _text}, ("name",)),
        "mcp": record({"type": _text, "server_label": _text, "name": nullable(_text)}),
    }
)
TOOL_CHOICE = by_type(
    {str: choice("none", "auto", "required"), dict: _NAMED_CHOICE}, "a string or an object"
)
MAX_TOKENS = word_or("inf", number(1, 4096, whole=True))
MODALITIES = array(choice("text", "audio"), limit=1, least=1)
PROMPT = nullable(
    record({"id": _text, "version": nullable(_text), "variables": nullable(anything)}, ("id",))
)
REASONING = nullable(
    record({"effort": nullable(choice("minimal", "low", "medium", "high", "xhigh"))})
)
TRACING = nullable(
    word_or("auto", record({"workflow_name": _text, "group_id": _text, "metadata": anything}))
)
TRUNCATION = by_type(
    {
        str: choice("auto", "disabled"),
        dict: record(
            {
                "type": choice("retention_ratio"),
                "retention_ratio": number(0, 1),
                "token_limits": nullable(record({"post_instructions": _integer})),
            },
            ("type", "retention_ratio"),
        ),
    },
    "a string or an object",
)
INCLUDE = nullable(array(choice("item.input_audio_transcription.logprobs")))
_AUDIO_INPUT = record(
    {
        "format": FORMAT,
        "transcription": nullable(TRANSCRIPTION),
        "noise_reduction": nullable(NOISE_REDUCTION),
        "turn_detection": nullable(TURN_DETECTION),
    }
)
_AUDIO_OUTPUT = record({"format": FORMAT, "voice": VOICE, "speed": number(0.25, 1.5)})

SESSION = tagged(
    {
        "realtime": record(
            {
                "type": _text,
                "model": nullable(_text),
                "output_modalities": MODALITIES,
                "instructions": nullable(_text),
                "tools": nullable(array(TOOL)),
                "tool_choice": nullable(TOOL_CHOICE),
                "max_output_tokens": nullable(MAX_TOKENS),
                "tracing": TRACING,
                "truncation": nullable(TRUNCATION),
                "prompt": PROMPT,
                "reasoning": REASONING,
                "parallel_tool_calls": nullable(boolean),
                "audio": record({"input": _AUDIO_INPUT, "output": _AUDIO_OUTPUT}),
                "include": INCLUDE,
            }
        ),
        "transcription": record(
            {"type": _text, "audio": record({"input": _AUDIO_INPUT}), "include": INCLUDE}
        ),
    }
)

_BETA_FORMAT = choice("pcm16", "g711_ulaw", "g711_alaw")
_BETA_INPUT: Mapping[str, Check] = {
    "input_audio_format": _BETA_FORMAT,
    "input_audio_transcription": nullable(TRANSCRIPTION),
    "input_audio_noise_reduction": nullable(NOISE_REDUCTION),
    "turn_detection": nullable(TURN_DETECTION),
    "include": INCLUDE,
    "client_secret": anything,
}
BETA_SESSION = record(
    {
        **_BETA_INPUT,
        "model": nullable(_text),
        "modalities": array(choice("text", "audio"), limit=2, least=1),
        "instructions": _text,
        "voice": _text,
        "output_audio_format": _BETA_FORMAT,
        "tools": array(TOOL),
        "tool_choice": TOOL_CHOICE,
        "temperature": number(0.6, 1.2),
        "max_response_output_tokens": MAX_TOKENS,
        "speed": number(0.25, 1.5),
        "tracing": TRACING,
    }
)
BETA_TRANSCRIPTION_SESSION = record(_BETA_INPUT)

_ITEM_STATUS = nullable(choice("completed", "incomplete", "in_progress"))
_TEXT_PART = record({"type": _text, "text": _text}, ("text",))
_AUDIO_PART = record(
    {"type": _text, "audio": nullable(_text), "transcript": nullable(_text)},
)
_IMAGE_PART = record(
    {"type": _text, "image_url": _text, "detail": nullable(choice("auto", "low", "high"))},
    ("image_url",),
)
_ITEM_HEAD: Mapping[str, Check] = {
    "type": _text,
    "id": nullable(string(32)),
    "object": nullable(choice("realtime.item")),
    "status": _ITEM_STATUS,
}


def _message(role: str, parts: Mapping[str, Check]) -> Check:
    return record(
        {**_ITEM_HEAD, "role": choice(role), "content": array(tagged(parts)), "phase": anything},
        ("content",),
    )


MESSAGE = tagged(
    {
        "user": _message(
            "user",
            {"input_text": _TEXT_PART, "input_audio": _AUDIO_PART, "input_image": _IMAGE_PART},
        ),
        "assistant": _message(
            "assistant", {"output_text": _TEXT_PART, "output_audio": _AUDIO_PART}
        ),
        "system": _message("system", {"input_text": _TEXT_PART}),
    },
    tag="role",
)
ITEM = tagged(
    {
        "message": MESSAGE,
        "function_call": record(
            {**_ITEM_HEAD, "name": _text, "call_id": nullable(_text), "arguments": _text},
            ("name", "arguments"),
        ),
        "function_call_output": record(
            {**_ITEM_HEAD, "call_id": _text, "output": _text}, ("call_id", "output")
        ),
    }
)
ITEM_OR_REFERENCE = tagged(
    {
        "message": ITEM,
        "function_call": ITEM,
        "function_call_output": ITEM,
        "item_reference": record({"type": _text, "id": _text}, ("id",)),
    }
)
RESPONSE = record(
    {
        "conversation": nullable(choice("auto", "none")),
        "input": nullable(array(ITEM_OR_REFERENCE)),
        "instructions": nullable(_text),
        "output_modalities": nullable(MODALITIES),
        "audio": nullable(record({"output": record({"format": FORMAT, "voice": VOICE})})),
        "tools": nullable(array(TOOL)),
        "tool_choice": nullable(TOOL_CHOICE),
        "max_output_tokens": nullable(MAX_TOKENS),
        "metadata": nullable(pairs(16, 64, 512)),
        "prompt": PROMPT,
        "reasoning": REASONING,
        "parallel_tool_calls": nullable(boolean),
    }
)
_EVENT_FIELDS: Mapping[str, tuple[Mapping[str, Check], tuple[str, ...]]] = {
    "session.update": ({"session": SESSION}, ("session",)),
    "input_audio_buffer.append": ({"audio": string(20 * 2**20)}, ("audio",)),
    "input_audio_buffer.commit": ({}, ()),
    "input_audio_buffer.clear": ({}, ()),
    "output_audio_buffer.clear": ({}, ()),
    "conversation.item.create": (
        {"item": ITEM, "previous_item_id": nullable(_text)},
        ("item",),
    ),
    "conversation.item.retrieve": ({"item_id": _text}, ("item_id",)),
    "conversation.item.delete": ({"item_id": _text}, ("item_id",)),
    "conversation.item.truncate": (
        {"item_id": _text, "content_index": _integer, "audio_end_ms": _integer},
        ("item_id", "content_index", "audio_end_ms"),
    ),
    "response.create": ({"response": nullable(RESPONSE)}, ()),
    "response.cancel": ({"response_id": nullable(_text)}, ()),
}
EVENTS: Mapping[str, Check] = {
    name: record({"type": _text, "event_id": nullable(string(512)), **fields}, required)
    for name, (fields, required) in _EVENT_FIELDS.items()
}
BETA_RESPONSE = record(
    {
        "conversation": anything,
        "input": anything,
        "instructions": anything,
        "tools": anything,
        "tool_choice": anything,
        "metadata": anything,
        "modalities": array(choice("text", "audio"), limit=2, least=1),
        "voice": _text,
        "output_audio_format": _BETA_FORMAT,
        "temperature": number(0.6, 1.2),
        "max_response_output_tokens": MAX_TOKENS,
        "max_output_tokens": MAX_TOKENS,
    }
)
BETA_EVENTS: Mapping[str, Check] = {
    "response.create": record({"response": nullable(BETA_RESPONSE)}, closed=False),
    "session.update": record({"session": BETA_SESSION}, ("session",), closed=False),
    "transcription_session.update": record(
        {"session": BETA_TRANSCRIPTION_SESSION}, ("session",), closed=False
    ),
}
