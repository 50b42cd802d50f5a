"""The shapes of client events, by type; after openai-python (`types/live`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from replay.simulators.openai.schema import (
    Check,
    anything,
    array,
    boolean,
    by_type,
    choice,
    nullable,
    number,
    record,
    string,
    tagged,
    word_or,
)

_RATES = {"audio/pcm": (16_000, 24_000), "audio/pcmu": (8_000,), "audio/pcma": (8_000,)}


def _rate(*allowed: int) -> Check:
    whole = number(min(allowed), max(allowed), whole=True)

    def check(value: object, path: str) -> None:
        whole(value, path)
        choice(*(str(each) for each in allowed))(str(value), path)

    return check


_FORMAT = tagged(
    {
        name: record({"type": string(), "rate": _rate(*rates)}, ("type", "rate"))
        for name, rates in _RATES.items()
    }
)
_TOOL = record({"type": string(), "name": string(128)}, ("type",), closed=False)
_RESPONSES = record(
    {
        "model": string(),
        "instructions": nullable(string()),
        "tools": nullable(array(_TOOL)),
        "tool_choice": nullable(by_type({str: string(), dict: anything}, "a tool choice")),
        "parallel_tool_calls": nullable(boolean),
        "reasoning": nullable(
            record({"effort": nullable(string()), "summary": nullable(string())})
        ),
        "text": nullable(record({"verbosity": nullable(string())})),
        "max_output_tokens": nullable(number(1, 1_000_000, whole=True)),
        "service_tier": nullable(string()),
    },
)
_DELAY = nullable(number(0, 60_000, whole=True))
_DELEGATION = nullable(
    tagged(
        {
            "client": record({"type": string(), "acknowledgement_delay_ms": _DELAY}),
            "responses": record(
                {"type": string(), "responses": _RESPONSES, "acknowledgement_delay_ms": _DELAY},
                ("responses",),
            ),
            "decisions": record(
                {"type": string(), "decisions": anything, "acknowledgement_delay_ms": _DELAY}
            ),
        }
    )
)
_VOICE = by_type({str: string(), dict: record({"id": string()}, ("id",))}, "a voice")
_AUDIO = record(
    {"format": nullable(_FORMAT), "output": nullable(record({"voice": nullable(_VOICE)}))}
)
_PART = record({"type": choice("input_text", "text", "output_text"), "text": string()}, ("text",))
_ITEM = record(
    {
        "type": choice("message"),
        "role": choice("developer", "user", "assistant"),
        "content": array(_PART, limit=1, least=1),
    },
    ("role", "content"),
)
SESSION: Final = record(
    {
        "type": choice("live"),
        "model": string(),
        "instructions": nullable(string()),
        "audio": nullable(_AUDIO),
        "delegation": _DELEGATION,
        "input": nullable(array(_ITEM, limit=128)),
        "store": nullable(boolean),
        "safety_identifier": nullable(string(64)),
        "triggers": nullable(array(anything)),
        "client": nullable(anything),
        "idle_timeout_s": nullable(number(0, 7200)),
        "wake_policy": nullable(anything),
    },
    ("model",),
)
FORKED: Final = record(
    {"instructions": nullable(string()), "audio": nullable(_AUDIO), "client": nullable(anything)}
)
_UPDATE = record({"delegation": _DELEGATION, "triggers": nullable(array(anything))})
_APPEND = {"content": string(), "delegation_id": nullable(string())}


def _event(required: tuple[str, ...] = (), **fields: Check) -> Check:
    named = {"type": string(), "event_id": nullable(string(512)), **fields}
    return record(named, required)


_WRITTEN = _event(("content", "delegation_id"), **_APPEND)
EVENTS: Final[Mapping[str, Check]] = {
    "session.start": _event(("session",), session=by_type({dict: anything}, "an object")),
    "session.update": _event(("session",), session=_UPDATE),
    "session.input_audio.append": _event(("audio",), audio=string()),
    "session.input_audio.mute": _event(),
    "session.input_audio.unmute": _event(),
    "session.instructions.append": _WRITTEN,
    "session.thinking.append": _WRITTEN,
    "session.commentary.append": _WRITTEN,
    "session.output_audio.fixture.play": _event(("audio",), audio=string()),
    "response.item.create": _event(
        ("item",),
        item=record({"type": word_or("message", string())}, (), closed=False),
    ),
    "response.create": _event(),
    "transport.dtmf.send": _event(("event",), event=string(1)),
    "session.close": _event(),
}
