"""Tapes for tests: a plausible Realtime conversation, recorded through the writer.

    session = record(store, conversation())

A conversation is a list of `Take`s: what happens on which channel at which offset. `Script` makes
other ones; `record` plays them on a virtual clock, so that the offsets on the tape are exact.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, cast

import numpy as np
from pybase64 import b64encode_as_string

from recorder.capture.tap import Tape
from recorder.capture.writer import Writer
from recorder.clock import VirtualClock
from recorder.events import Kind, Sender
from recorder.heads import Close, RequestHead, ResponseHead
from recorder.redact import Secrets
from recorder.store.base import ChannelKind, Status, Store

RATE = 24_000
WALL_NS = 1_790_000_000_123_000_000  # 2026-09-21T14:13:20.123Z
SECRETS = Secrets(b"key of the test tapes")


class Take(NamedTuple):
    """One event to be recorded, `at_ms` after the session began."""

    at_ms: float
    channel: int
    sender: Sender
    kind: Kind
    type: str
    body: bytes


def tone(ms: float, hertz: float = 440.0, level: float = 0.25, rate: int = RATE) -> bytes:
    """PCM16 of a sine; `level` is its peak, where 1 is full scale."""
    time = np.arange(int(rate * ms / 1000)) / rate
    wave = np.sin(2 * np.pi * hertz * time) * level * 32767
    return np.rint(wave).astype("<i2").tobytes()


class Script:
    """Collects takes of one WebSocket; each call is one message, `wait` moves the clock on."""

    def __init__(self, channel: int = 1) -> None:
        self.takes: list[Take] = []
        self.at_ms = 0.0
        self._channel = channel
        self._events = 0

    def wait(self, ms: float) -> Script:
        self.at_ms += ms
        return self

    def add(self, sender: Sender, kind: Kind, body: bytes) -> Script:
        self.takes.append(Take(self.at_ms, self._channel, sender, kind, "", body))
        return self

    def open(self, path: str = "/v1/realtime", query: str = "model=gpt-realtime") -> Script:
        head = RequestHead("GET", path, query, (("User-Agent", "test"),))
        self.add("client", "ws.open", head.encode())
        self.wait(20)
        return self.add("provider", "ws.open", ResponseHead(101, "Switching Protocols").encode())

    def close(self, code: int = 1000, reason: str = "", sender: Sender = "client") -> Script:
        return self.add(sender, "ws.close", Close(code, reason).encode())

    def client(self, type_: str, **fields: Any) -> Script:
        """A client event, written as `json.dumps` writes it."""
        return self.add("client", "ws.text", json.dumps({"type": type_, **fields}).encode())

    def provider(self, type_: str, **fields: Any) -> Script:
        """A provider event: compact, with an event id."""
        self._events += 1
        message = {"type": type_, "event_id": f"event_{self._events:021}", **fields}
        text = json.dumps(message, separators=(",", ":"), ensure_ascii=False)
        return self.add("provider", "ws.text", text.encode())

    def append(self, pcm: bytes, piece_ms: int = 100, rate: int = RATE) -> Script:
        """The client speaks, in real time."""
        step = rate * piece_ms // 1000 * 2
        for at in range(0, len(pcm), step):
            self.client("input_audio_buffer.append", audio=b64encode_as_string(pcm[at : at + step]))
            self.wait(piece_ms)
        return self

    def speak(self, item: str, pcm: bytes, piece_ms: int = 200, pace_ms: float = 20) -> Script:
        """The provider speaks, faster than real time unless `pace_ms` says otherwise."""
        step = RATE * piece_ms // 1000 * 2
        for at in range(0, len(pcm), step):
            data = b64encode_as_string(pcm[at : at + step])
            self.provider(
                "response.output_audio.delta", item_id=item, content_index=0, delta=data
            ).wait(pace_ms)
        return self


def session_object(**changes: Any) -> dict[str, Any]:
    """A GA session as the server shows it, shortened."""
    audio = {"type": "audio/pcm", "rate": RATE}
    detection = {"type": "server_vad", "silence_duration_ms": 500, "interrupt_response": True}
    return {
        "type": "realtime",
        "object": "realtime.session",
        "id": "sess_0000000000000000000001",
        "model": "gpt-realtime",
        "output_modalities": ["audio"],
        "instructions": "Be brief.",
        "tools": [],
        "audio": {
            "input": {"format": audio, "turn_detection": detection},
            "output": {"format": audio, "voice": "marin"},
        },
        **changes,
    }


def usage(audio_in: int = 20, audio_out: int = 40) -> dict[str, Any]:
    """The usage of a response."""
    return {
        "total_tokens": 60 + audio_in + audio_out,
        "input_tokens": 50 + audio_in,
        "output_tokens": 10 + audio_out,
        "input_token_details": {"text_tokens": 50, "audio_tokens": audio_in, "cached_tokens": 0},
        "output_token_details": {"text_tokens": 10, "audio_tokens": audio_out},
    }


def conversation(interrupted: bool = False) -> list[Take]:
    """A spoken turn with a spoken answer, then a typed turn with a call; about nine seconds.

    `interrupted`: the user cuts the first answer short, and the client truncates it.
    """
    script = Script().open()
    script.wait(5).provider("session.created", session=session_object())
    script.wait(5).client("session.update", session={"type": "realtime", "instructions": "Short."})
    script.wait(30).provider("session.updated", session=session_object(instructions="Short."))
    _spoken_turn(script)
    if interrupted:
        script.wait(100).provider("input_audio_buffer.speech_started", audio_start_ms=2000)
        script.wait(10).client(
            "conversation.item.truncate", item_id="item_b", content_index=0, audio_end_ms=400
        )
        script.wait(30).provider(
            "conversation.item.truncated", item_id="item_b", content_index=0, audio_end_ms=400
        )
    script.wait(2500)
    _tool_turn(script)
    script.wait(1500).close()
    return script.wait(2).close(sender="provider").takes


def _spoken_turn(script: Script) -> None:
    script.append(tone(1200))
    script.provider("input_audio_buffer.speech_started", audio_start_ms=0, item_id="item_a")
    script.append(bytes(RATE))  # half a second of silence
    script.provider("input_audio_buffer.speech_stopped", audio_end_ms=1216, item_id="item_a")
    script.provider("input_audio_buffer.committed", item_id="item_a", previous_item_id=None)
    spoken = {"id": "item_a", "type": "message", "role": "user", "status": "completed"}
    spoken["content"] = [{"type": "input_audio", "transcript": None}]  # type: ignore[assignment]
    script.provider("conversation.item.added", item=spoken, previous_item_id=None)
    script.provider("conversation.item.done", item=spoken, previous_item_id=None)
    script.wait(200).provider("response.created", response={"id": "resp_a", "output": []})
    answer = {"id": "item_b", "type": "message", "role": "assistant", "content": []}
    script.wait(150).provider("response.output_item.added", item=answer)
    for word in ("Good", " mor", "ning."):
        script.provider("response.output_audio_transcript.delta", item_id="item_b", delta=word)
    script.speak("item_b", tone(2000, 660.0))
    script.provider("response.output_audio.done", item_id="item_b")
    script.provider(
        "response.output_audio_transcript.done", item_id="item_b", transcript="Good morning."
    )
    script.provider(
        "conversation.item.input_audio_transcription.completed",
        item_id="item_a",
        transcript="Hello there.",
        usage={"type": "duration", "seconds": 2},
    )
    done = {"id": "resp_a", "status": "completed", "status_details": None, "output": [answer]}
    script.provider("response.done", response={**done, "usage": usage()})


def _tool_turn(script: Script) -> None:
    typed = {"type": "message", "role": "user"}
    script.client(
        "conversation.item.create",
        item={**typed, "content": [{"type": "input_text", "text": "What is the time in Łódź?"}]},
    )
    script.client("response.create")
    script.wait(180).provider("response.created", response={"id": "resp_b", "output": []})
    call = {"id": "item_c", "type": "function_call", "name": "clock", "call_id": "call_a"}
    script.wait(60).provider("response.output_item.added", item={**call, "arguments": ""})
    for piece in ('{"city"', ':"Łódź"}'):
        script.provider("response.function_call_arguments.delta", item_id="item_c", delta=piece)
    script.provider(
        "response.function_call_arguments.done",
        item_id="item_c",
        call_id="call_a",
        name="clock",
        arguments='{"city":"Łódź"}',
    )
    done = {"id": "resp_b", "status": "completed", "status_details": None}
    output = [{**call, "arguments": '{"city":"Łódź"}'}]
    script.provider("response.done", response={**done, "output": output, "usage": usage(0, 0)})
    result = {"type": "function_call_output", "call_id": "call_a", "output": '"12:00"'}
    script.wait(40).client("conversation.item.create", item=result)


class _Mortal:
    """A store that a writer can die on: once `dead`, nothing it writes arrives."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.dead = False

    def __getattr__(self, name: str) -> Any:
        if self.dead and name in ("commit", "put_run"):
            return lambda _: None
        return getattr(self._store, name)


def record(
    store: Store,
    takes: Iterable[Take],
    *,
    trial: str = "demo",
    wall_ns: int = WALL_NS,
    status: Status | None = "complete",
    provider: str = "openai",
    **facts: Any,
) -> str:
    """Record `takes` as one session and return its id.

    `status` None leaves it as a writer that was killed leaves it: everything is stored, nothing
    has ended.
    """
    clock = VirtualClock(wall_ns=wall_ns)
    mortal = _Mortal(store)
    writer = Writer(cast(Store, mortal), clock, SECRETS)
    writer.start()
    tape = writer.open(provider, trial, **facts)
    _play(tape, clock, list(takes))
    writer.flush()
    mortal.dead = status is None
    tape.end(status or "complete")
    writer.close()
    return tape.session


_CHANNELS: dict[str, ChannelKind] = {"ws": "ws", "http": "http", "webhook": "webhook"}


def _play(tape: Tape, clock: VirtualClock, takes: Sequence[Take]) -> None:
    kinds = {take.channel: take.kind for take in reversed(takes)}
    numbers = {
        channel: tape.channel(_CHANNELS[kind.partition(".")[0]], "/v1/realtime")
        for channel, kind in sorted(kinds.items())
        if channel
    }
    for take in takes:
        clock.advance_to(int(take.at_ms * 1_000_000))
        number = numbers.get(take.channel, 0)
        tape.record(number, take.sender, take.kind, take.type, take.body)
