"""A long duplex call as a tape: 20 ms of audio a message both ways, with tools now and then."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from recorder.events import Event, Kind, Sender
from recorder.heads import Close, RequestHead, ResponseHead
from recorder.providers import provider
from recorder.providers.base import Tracker

MS = 1_000_000
TURN_S = 10
_CHUNKS = 50  # a second, each way
_SPEECH = 4 * _CHUNKS  # of a turn's chunks, the rest of which are silence
_SIZE = 960  # PCM16, 24 kHz: 20 ms
_TOOL_EVERY = 5

Said = tuple[int, Sender, dict[str, Any]]


def openai_call(seconds: int) -> list[Event]:
    """A call of OpenAI Realtime: every 20 ms a message of the client, of which 4 s in 10 are
    speech and the rest silence, and as many pieces of the replies, twice as fast as they play."""
    sound = np.random.default_rng(1).integers(-9_000, 9_000, seconds * _CHUNKS * _SIZE // 2)
    voice = sound.astype("<i2").tobytes()
    turns = seconds // TURN_S
    said = [each for turn in range(turns) for each in (*_client(turn, voice), *_provider(turn))]
    said.append((0, "provider", {"type": "session.created", "session": {"id": "sess_1"}}))
    said.append((1 * MS, "client", {"type": "session.update", "session": {"tools": []}}))
    said.append((9 * MS, "provider", {"type": "session.updated", "session": {"id": "sess_1"}}))
    head = RequestHead("GET", "/v1/realtime", "model=gpt-realtime")
    opened = ResponseHead(101, "Switching Protocols")
    log = _Log(provider("openai").tracker())
    log.add(0, "client", "ws.open", head.encode())
    log.add(0, "provider", "ws.open", opened.encode())
    for at_ns, sender, message in sorted(said, key=lambda each: each[0]):
        body = json.dumps(message, separators=(",", ":")).encode()
        log.add(at_ns + 50 * MS, sender, "ws.text", body)
    log.add(seconds * 1000 * MS + 60 * MS, "client", "ws.close", Close(1000).encode())
    return log.events


class _Log:
    def __init__(self, tracker: Tracker) -> None:
        self.events: list[Event] = []
        self._tracker = tracker

    def add(self, at_ns: int, sender: Sender, kind: Kind, body: bytes) -> None:
        name = self._tracker.inspect(1, sender, kind, "", body).type
        seq = len(self.events) + 1
        self.events.append(Event("call", seq, at_ns, 1, sender, kind, name, body))


def _client(turn: int, voice: bytes) -> Iterator[Said]:
    """One turn of the microphone."""
    begun = turn * TURN_S * 1000 * MS
    chunks = TURN_S * _CHUNKS
    for at in range(chunks):
        start = (turn * chunks + at) * _SIZE
        pcm = voice[start : start + _SIZE] if at < _SPEECH else bytes(_SIZE)
        audio = base64.b64encode(pcm).decode()
        when = begun + (at + 1) * 20 * MS
        yield when, "client", {"type": "input_audio_buffer.append", "audio": audio}


def _provider(turn: int) -> Iterator[Said]:
    """The turn as it is heard, and the reply to it; in every fifth turn after a tool's result."""
    item = {"item_id": f"item_{turn:08d}"}
    begun = turn * TURN_S * 1000 * MS
    heard = {"audio_start_ms": begun // MS, **item}
    yield begun + 307 * MS, "provider", {"type": "input_audio_buffer.speech_started", **heard}
    heard = {"audio_end_ms": begun // MS + 4_000, **item}
    yield begun + 4_507 * MS, "provider", {"type": "input_audio_buffer.speech_stopped", **heard}
    yield begun + 4_508 * MS, "provider", {"type": "input_audio_buffer.committed", **item}
    now = begun + 4_600 * MS
    if turn % _TOOL_EVERY == 0:
        yield from _called(now, turn)
        now += 300 * MS
    yield from _reply(now, turn)


def _called(now: int, turn: int) -> Iterator[Said]:
    call = {"type": "function_call", "id": f"item_call_{turn:08d}", "call_id": f"call_{turn:08d}"}
    call = {**call, "name": "weather", "arguments": "{}", "status": "completed"}
    place = {"response_id": f"resp_call_{turn:08d}", "output_index": 0}
    named = {**place, "item_id": call["id"], "call_id": call["call_id"], "name": call["name"]}
    done = {"id": place["response_id"], "status": "completed", "output": [call]}
    output = {"type": "function_call_output", "call_id": call["call_id"], "output": "rain"}
    said: list[dict[str, Any]] = [
        {"type": "response.created", "response": {"id": place["response_id"]}},
        {"type": "response.output_item.added", **place, "item": {**call, "arguments": ""}},
        {"type": "response.function_call_arguments.done", **named, "arguments": "{}"},
        {"type": "response.output_item.done", **place, "item": call},
        {"type": "response.done", "response": done},
    ]
    for at, message in enumerate(said):
        yield now + at * 20 * MS, "provider", message
    yield now + 101 * MS, "client", {"type": "conversation.item.create", "item": output}
    yield now + 102 * MS, "client", {"type": "response.create"}


def _reply(now: int, turn: int) -> Iterator[Said]:
    reply, piece = f"resp_{turn:08d}", "response.output_audio.delta"
    place = {"response_id": reply, "item_id": f"item_reply_{turn:08d}", "output_index": 0}
    sound = np.random.default_rng(turn).integers(-9_000, 9_000, _SIZE // 2).astype("<i2").tobytes()
    audio = base64.b64encode(sound).decode()
    yield now, "provider", {"type": "response.created", "response": {"id": reply}}
    for at in range(490):
        event = {"event_id": f"event_{turn:06d}_{at:06d}", **place, "delta": audio}
        yield now + (at + 1) * 10 * MS, "provider", {"type": piece, **event}
    done = {"type": "response.done", "response": {"id": reply, "status": "completed"}}
    yield now + 4_950 * MS, "provider", done
