"""One conversation, and what each client understood of it: typed, spoken, and with a function."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from recorder.audio.files import decode_flac

Json = dict[str, Any]
CHUNK = 4800  # bytes: 100 ms of PCM16 at 24 kHz

TYPED = "Good morning — who is speaking?"
SPOKEN = "I should like to know when it arrives."  # what the simulator takes the speech for
ASKED = "What is the weather in Paris?"
FOUND = '{"sky": "clear", "celsius": 21}'
TOOL: Json = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather in a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}
SESSION: Json = {
    "type": "realtime",
    "output_modalities": ["audio"],
    "tools": [TOOL],
    "audio": {
        "input": {
            "format": {"type": "audio/pcm", "rate": 24000},
            "transcription": {"model": "gpt-4o-mini-transcribe"},
            "turn_detection": {"type": "server_vad"},
        }
    },
}


@cache
def speech() -> list[bytes]:
    """Somebody asks something, then nobody says anything: chunks of 100 ms."""
    folder = Path(__file__).parents[2] / "fixtures" / "audio"
    audio = decode_flac((folder / "caller-weather.flac").read_bytes()) + bytes(6 * CHUNK)
    return [audio[at : at + CHUNK] for at in range(0, len(audio), CHUNK)]


class Send(NamedTuple):
    """An event that the client is to send."""

    type: str
    fields: Json


Script = Generator[Send | None, Mapping[str, Any], None]
"""Yields what to send, or None for the provider's next event, which it is then given."""


def script() -> Script:
    """A whole conversation as an application holds it that speaks the protocol itself."""
    yield from _until("session.created")
    yield Send("session.update", {"session": SESSION})
    yield from _until("session.updated")
    yield _says(TYPED)
    yield Send("response.create", {})
    yield from _until("response.done")
    for chunk in speech():
        yield Send("input_audio_buffer.append", {"audio": chunk})
    seen: set[str] = set()
    while not {"response.done", _HEARD} <= seen:
        seen.add((yield None)["type"])
    yield _says(ASKED)
    yield Send("response.create", {})
    done = yield from _until("response.done")
    call = done["response"]["output"][0]
    output = {"type": "function_call_output", "call_id": call["call_id"], "output": FOUND}
    yield Send("conversation.item.create", {"item": output})
    yield Send("response.create", {})
    yield from _until("response.done")


_HEARD = "conversation.item.input_audio_transcription.completed"


def _until(type_: str) -> Generator[None, Mapping[str, Any], Mapping[str, Any]]:
    while True:
        event = yield None
        assert event["type"] != "error", event
        if event["type"] == type_:
            return event


def _says(text: str) -> Send:
    content = [{"type": "input_text", "text": text}]
    item = {"type": "message", "role": "user", "content": content}
    return Send("conversation.item.create", {"item": item})


def understood(events: list[Json]) -> list[str]:
    """What came of a conversation, as a client was told: a line for each turn."""
    lines = []
    for event in events:
        if event["type"] == _HEARD:
            lines.append(f"heard: {event['transcript'].strip()}")
        elif event["type"].startswith("input_audio_buffer.speech_"):
            lines.append(event["type"].rpartition(".")[2])
        elif event["type"] == "response.done":
            for item in event["response"]["output"]:
                lines.append(f"{event['response']['status']}: {_output(item)}")
    return lines


def _output(item: Json) -> str:
    if item["type"] == "function_call":
        return f"{item['name']} {item['arguments']}"
    return str(item["content"][0]["transcript"])
