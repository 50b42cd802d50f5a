"""Messages for the benchmarks: the shapes of a Realtime conversation, with speech in them."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np

FIXTURES = Path(__file__).parent.parent / "fixtures" / "audio"
_DELTAS_PER_ITEM = 40


def speech() -> bytes:
    """All spoken fixtures joined: PCM16, 24 kHz, mono."""
    import soundfile

    files = sorted(FIXTURES.glob("*.flac"))
    if not files:
        raise SystemExit(f"no audio in {FIXTURES}; run fixtures/make_audio.py")
    pieces = [soundfile.read(path, dtype="int16")[0] for path in files]
    return np.concatenate(pieces).tobytes()


def audio_messages(count: int, characters: int) -> list[bytes]:
    """`count` audio deltas of about `characters` of base64 each, in items of some seconds."""
    voice = speech()
    size = characters * 3 // 4 // 2 * 2
    looped = voice + voice[:size]
    messages: list[bytes] = []
    for number in range(count):
        start = number * size % len(voice) // 2 * 2
        audio = base64.b64encode(looped[start : start + size]).decode()
        item = f"item_{number // _DELTAS_PER_ITEM:021d}"
        messages.append(
            b'{"type":"response.output_audio.delta","event_id":"event_%021d",'
            b'"response_id":"resp_000000000000000000001","item_id":"%s",'
            b'"output_index":0,"content_index":0,"delta":"%s"}'
            % (number, item.encode(), audio.encode())
        )
        if number % _DELTAS_PER_ITEM == _DELTAS_PER_ITEM - 1:
            messages[-1] = _done(number, item)
    return messages


def _done(number: int, item: str) -> bytes:
    event = {
        "type": "response.output_audio.done",
        "event_id": f"event_{number:021d}",
        "response_id": "resp_000000000000000000001",
        "item_id": item,
        "output_index": 0,
        "content_index": 0,
    }
    return json.dumps(event, separators=(",", ":")).encode()


def text_messages(count: int) -> list[bytes]:
    """`count` transcript deltas of about 0.2 KB."""
    return [
        b'{"type":"response.output_audio_transcript.delta","event_id":"event_%021d",'
        b'"response_id":"resp_000000000000000000001","item_id":"item_000000000000000000001",'
        b'"output_index":0,"content_index":0,"delta":" word","obfuscation":"k2j4h5g6f7d"}' % number
        for number in range(count)
    ]


def messages(count: int, kilobytes: float) -> list[bytes]:
    """Text deltas below 1 KB, audio deltas above."""
    if kilobytes < 1:
        return text_messages(count)
    return audio_messages(count, int(kilobytes * 1024))
