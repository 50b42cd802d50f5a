"""The two worked turns, as tapes: every moment is given, so that every value is known."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from pybase64 import b64encode_as_string
from tapes import RATE, Take, tone

from recorder.heads import Close, RequestHead, ResponseHead

VAPI_RATE = 16_000
CALL = "01a21102-2861-7437-af6b-e9b3c57ca391"


def silence(ms: float, rate: int = RATE) -> bytes:
    return bytes(int(rate * ms / 1000) * 2)


def text(at_ms: float, sender: Any, type_: str, **fields: Any) -> Take:
    """A message on the socket."""
    return Take(at_ms, 1, sender, "ws.text", "", json.dumps({"type": type_, **fields}).encode())


def appends(start_ms: float, pcm: bytes, piece_ms: int = 20) -> list[Take]:
    """The microphone: each piece is sent when its first sample is taken up."""
    step = RATE * piece_ms // 1000 * 2
    return [
        text(
            start_ms + at / step * piece_ms,
            "client",
            "input_audio_buffer.append",
            audio=b64encode_as_string(pcm[at : at + step]),
        )
        for at in range(0, len(pcm), step)
    ]


def delta(at_ms: float, pcm: bytes, response: str = "resp_1", item: str = "item_a") -> Take:
    """Sound of an answer."""
    return text(
        at_ms,
        "provider",
        "response.output_audio.delta",
        response_id=response,
        item_id=item,
        delta=b64encode_as_string(pcm),
    )


def openai_turn() -> list[Take]:
    """u_off 3000, speech_stopped 3560, committed 3562, response.created 3570, first words 3860,
    audio 3890/3930/3990 (400 ms each, the first 60 ms silent), response.done 4300, the user is
    back at 4600, speech_started 4790, truncate (905 ms) at 4795."""
    microphone = silence(1000) + tone(2000) + silence(1600) + tone(600) + silence(400)
    takes = [
        Take(0, 1, "client", "ws.open", "", RequestHead("GET", "/v1/realtime").encode()),
        Take(20, 1, "provider", "ws.open", "101", ResponseHead(101).encode()),
        text(50, "provider", "session.created", session={}),
        *appends(0, microphone),
        text(1200, "provider", "input_audio_buffer.speech_started", item_id="item_u"),
        text(3560, "provider", "input_audio_buffer.speech_stopped", item_id="item_u"),
        text(3562, "provider", "input_audio_buffer.committed", item_id="item_u"),
        text(3570, "provider", "response.created", response={"id": "resp_1"}),
        text(
            3860,
            "provider",
            "response.output_audio_transcript.delta",
            response_id="resp_1",
            item_id="item_a",
            delta="Hello",
        ),
        delta(3890, silence(60) + tone(340)),
        delta(3930, tone(400)),
        delta(3990, tone(400)),
        text(4300, "provider", "response.done", response={"id": "resp_1", "status": "completed"}),
        text(4790, "provider", "input_audio_buffer.speech_started", item_id="item_v"),
        text(4795, "client", "conversation.item.truncate", item_id="item_a", audio_end_ms=905),
        Take(5600, 1, "client", "ws.close", "1000", Close(1000).encode()),
    ]
    return sorted(takes, key=lambda take: take.at_ms)


def hook(at_ms: float, channel: int, type_: str, **fields: Any) -> list[Take]:
    """A webhook of Vapi; nobody answers it."""
    message = {"type": type_, "call": {"id": CALL}, **fields}
    head = RequestHead("POST", "/webhooks/vapi").encode()
    body = json.dumps({"message": message}).encode()
    return [
        Take(at_ms, channel, "provider", "webhook.request", type_, head),
        Take(at_ms, channel, "provider", "http.chunk", type_, body),
        Take(at_ms, channel, "provider", "http.chunk", type_, b""),
    ]


def joined() -> list[Take]:
    """The socket of a call is opened."""
    head = RequestHead("GET", f"/{CALL}/transport").encode()
    return [
        Take(0, 1, "client", "ws.open", "", head),
        Take(0, 1, "provider", "ws.open", "101", ResponseHead(101).encode()),
    ]


def frames(sender: Any, pcm: bytes) -> list[Take]:
    """Audio on the socket of a call, 10 ms a frame."""
    size = VAPI_RATE // 100 * 2
    pieces = enumerate(range(0, len(pcm), size))
    return [
        Take(number * 10, 1, sender, "ws.binary", "", pcm[at : at + size]) for number, at in pieces
    ]


def vapi_turn(wall_ms: float) -> list[Take]:
    """u_off 3000, the user's `stopped` stamped 3420 and read 3510, the assistant's `started`
    stamped 4180, first voiced frame 4230; Vapi says transcriber 180, model 420, voice 280."""
    user = silence(1000, VAPI_RATE) + tone(2000, rate=VAPI_RATE) + silence(2500, VAPI_RATE)
    agent = silence(4230, VAPI_RATE) + tone(800, rate=VAPI_RATE) + silence(400, VAPI_RATE)
    takes = [*joined(), *frames("client", user), *frames("provider", agent)]
    stamps = (
        (1250, "user", "started", 1150),
        (3510, "user", "stopped", 3420),
        (4225, "assistant", "started", 4180),
        (5100, "assistant", "stopped", 5050),
    )
    for channel, (at, role, status, stamp) in enumerate(stamps, 2):
        takes += hook(
            at, channel, "speech-update", role=role, status=status, timestamp=wall_ms + stamp
        )
    latency = {"transcriberLatency": 180, "modelLatency": 420, "voiceLatency": 280}
    report = {"performanceMetrics": {"turnLatencies": [latency]}}
    takes += hook(5450, 9, "end-of-call-report", endedReason="customer-ended-call", artifact=report)
    return sorted(takes, key=lambda take: take.at_ms)


def bursts(*marks: tuple[float, float], total_ms: float, rate: int = 16_000) -> Any:
    """A lane with a tone in each (start, end), in ms."""
    lane = np.zeros(int(total_ms * rate / 1000), np.int16)
    for start, end in marks:
        wave = np.frombuffer(tone(end - start, rate=rate), "<i2")
        at = int(start * rate / 1000)
        lane[at : at + wave.size] = wave
    return lane
