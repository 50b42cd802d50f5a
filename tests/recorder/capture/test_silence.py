"""What a conversation in which nobody speaks takes on disk."""

from __future__ import annotations

import json
from base64 import b64encode
from contextlib import closing
from pathlib import Path

from recorder.capture.writer import Writer
from recorder.clock import SystemClock
from recorder.redact import Secrets
from recorder.store import open_store

STEP_NS = 100_000_000
STEPS = 6_000  # ten minutes
ZEROS = bytes(4_800)


def message(type_: str, **fields: object) -> bytes:
    return json.dumps({"type": type_, **fields}, separators=(",", ":")).encode()


def test_ten_silent_minutes_take_less_than_a_megabyte(tmp_path: Path) -> None:
    """GPT-Live sends 100 ms of zero samples in each message, without a pause and without an id,
    and its client as much; usage is told every few seconds."""
    path = tmp_path / "silent.db"
    silence = b64encode(ZEROS).decode()
    shape = {"type": "audio/pcm", "rate": 24_000}
    started = {"id": "live_1", "model": "gpt-live-1", "audio": {"format": shape}}
    writer = Writer(open_store(str(path), create=True), SystemClock(), Secrets(b"key"))
    writer.start()
    tape = writer.open("openai-live", "trial")
    channel = tape.channel("ws", "/v1/live")
    begun = writer.now_ns()

    def tell(step: float, sender: str, body: bytes) -> None:
        moment = begun + int(step * STEP_NS) + step % 7 * 11_003  # no two steps are alike
        tape.record_late(int(moment), channel, sender, "ws.text", "", body)  # type: ignore[arg-type]

    tell(0, "provider", message("session.started", event_id="event_0", session=started))
    for step in range(STEPS):
        tell(step, "provider", message("session.output_audio.delta", delta=silence))
        tell(step + 0.5, "client", message("session.input_audio.append", audio=silence))
        if step % 50 == 49:
            used = {"seconds": step // 10}
            body = message("session.usage.updated", usage=used, event_id=f"event_{step:021}")
            tell(step + 0.7, "provider", body)
            writer.flush()
    tape.end()
    writer.close()
    with closing(open_store(str(path), create=False)) as store:
        (row,) = store.sessions()
        assert row.events == 2 * STEPS + STEPS // 50 + 1
        heard = [store.audio(row.id, segment.number) for segment in store.segments(row.id)]
        assert b"".join(heard) == ZEROS * STEPS * 2
    assert path.stat().st_size < 1_000_000
