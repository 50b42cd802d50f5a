"""The writer on a thread: order, the bounded queue, holes, and taking a session up again."""

from __future__ import annotations

import base64
import json
import random
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recorder import derive
from recorder.capture import encode
from recorder.capture.writer import Writer
from recorder.clock import SystemClock
from recorder.errors import StoreError
from recorder.recording import Recording
from recorder.redact import Secrets
from recorder.store.base import Batch
from recorder.store.memory import MemoryStore
from recorder.verify import verify

SECRETS = Secrets(b"key of these tests", ("hunter2hunter2",))


class Unsteady(MemoryStore):
    """A store that fails, or waits, while told to."""

    def __init__(self) -> None:
        super().__init__()
        self.broken = False
        self.gate = threading.Event()
        self.gate.set()

    def commit(self, batch: Batch) -> None:
        self.gate.wait(10)
        if self.broken:
            raise StoreError("the disk is full; make room")
        super().commit(batch)


def append(audio: bytes) -> bytes:
    text = base64.b64encode(audio).decode()
    return f'{{"type":"input_audio_buffer.append","audio":"{text}"}}'.encode()


def messages(store: MemoryStore, session: str) -> list[bytes]:
    return [event.body for event in Recording(store, session).events() if event.kind == "ws.text"]


def test_events_come_back_in_order_with_their_audio() -> None:
    store, noise = MemoryStore(), random.Random(5)
    sent = [append(noise.randbytes(noise.choice([2, 3, 960, 4_800]))) for _ in range(400)]
    writer = Writer(store, SystemClock(), SECRETS)
    writer.start()
    tape = writer.open("openai", "t")
    channel = tape.channel("ws", "/v1/realtime")
    for body in sent:
        tape.record(channel, "client", "ws.text", "", body)
    writer.flush()
    assert messages(store, tape.session) == sent
    tape.end()
    writer.close()
    row = store.session(tape.session)
    assert row
    assert (row.status, row.events) == ("complete", len(sent))
    assert messages(store, tape.session) == sent
    assert verify(store, row).fault is None
    assert all(store.sealed(row.id, segment.number) for segment in store.segments(row.id))


def test_long_audio_is_continued_in_new_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encode, "SEGMENT_BYTES", 10_000)
    store, noise = MemoryStore(), random.Random(6)
    sent = [append(noise.randbytes(961)) for _ in range(50)]
    writer = Writer(store, SystemClock(), SECRETS)
    writer.start()
    tape = writer.open("openai", "t")
    channel = tape.channel("ws", "/")
    for body in sent:
        tape.record(channel, "client", "ws.text", "", body)
    writer.close()
    sealed = [
        store.sealed(tape.session, segment.number) for segment in store.segments(tape.session)
    ]
    assert [each.tail for each in sealed if each] == [b""] * 5, "each is cut at a whole sample"
    assert messages(store, tape.session) == sent


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_nobody_waits_for_a_writer_that_fell() -> None:
    store = MemoryStore()
    writer = Writer(store, SystemClock(), SECRETS, limit=1_000)
    store.maintain = lambda: 1 / 0  # type: ignore[assignment]
    writer.start()
    tape = writer.open("openai", "t")
    with pytest.raises(StoreError, match="ended before everything was stored"):
        writer.flush()
    assert tape.failed
    tape.record(1, "client", "ws.text", "", bytes(5_000))
    waiting = threading.Thread(target=writer.wait_room)
    waiting.start()
    waiting.join(10)
    assert not waiting.is_alive()


def test_a_full_queue_says_so_and_drops_nothing() -> None:
    store = Unsteady()
    writer = Writer(store, SystemClock(), SECRETS, limit=50_000)
    writer.start()
    tape = writer.open("openai", "t")
    channel = tape.channel("ws", "/")
    writer.flush()
    store.gate.clear()
    sent = [append(bytes(3_000)) for _ in range(40)]
    for body in sent:
        tape.record(channel, "client", "ws.text", "", body)
    assert writer.full
    waiting = threading.Thread(target=writer.wait_room)
    waiting.start()
    store.gate.set()
    waiting.join(10)
    assert not waiting.is_alive()
    writer.close()
    assert messages(store, tape.session) == sent


@pytest.mark.parametrize("policy", ["end", "pass"])
def test_what_cannot_be_stored_leaves_a_marked_hole(policy: str) -> None:
    store = Unsteady()
    writer = Writer(store, SystemClock(), SECRETS, on_failure=policy)  # type: ignore[arg-type]
    writer.start()
    tape = writer.open("openai", "t")
    told: list[str] = []
    tape.on_failure = lambda error: told.append(str(error))
    channel = tape.channel("ws", "/")
    tape.record(channel, "client", "ws.text", "", b'{"type":"before"}')
    writer.flush()
    store.broken = True
    for number in range(3):
        tape.record(channel, "client", "ws.text", "", b'{"type":"lost %d"}' % number)
        writer.flush()
    store.broken = False
    writer._ledger._beat_at = 0  # the next turn is the one that mends
    tape.record(channel, "client", "ws.text", "", b'{"type":"late"}')
    writer.flush()
    tape.record(channel, "client", "ws.text", "", b'{"type":"after"}')
    tape.end()
    writer.close()
    row = store.session(tape.session)
    assert row
    assert row.status == "incomplete"
    assert verify(store, row).fault is None
    events = list(Recording(store, row.id).events())
    (hole,) = [event for event in events if event.type == "hole"]
    assert json.loads(hole.body)["lost_events"] == 4
    assert "disk is full" in json.loads(hole.body)["reason"]
    kept = [json.loads(event.body)["type"] for event in events if event.kind == "ws.text"]
    if policy == "end":
        assert told == ["the disk is full; make room"]
        assert kept == ["before"]
    else:
        assert told == []
        assert kept == ["before", "after"]


def test_half_a_character_in_a_name_harms_nobody() -> None:
    store = MemoryStore()
    told = b'{"type":"session.created","session":{"id":"\\ud800","model":"m\\u0000\\udfff"}}'
    writer = Writer(store, SystemClock(), SECRETS)
    writer.start()
    tape = writer.open("openai", "t")
    channel = tape.channel("ws", "/\ud800")
    tape.record(channel, "provider", "ws.text", "", told)
    writer.close()
    row = store.session(tape.session)
    assert row
    assert (row.external_id, row.model, row.status) == ("?", "m??", "complete")
    assert store.channels(row.id)[0].target == "/?"
    assert messages(store, row.id) == [told]
    derive.refresh(store)


def test_a_session_is_taken_up_again_where_it_ended() -> None:
    store = MemoryStore()
    writer = Writer(store, SystemClock(), SECRETS)
    writer.start()
    tape = writer.open("openai", "t")
    first = tape.channel("ws", "/")
    tape.record(first, "client", "ws.text", "", append(bytes(100)))
    tape.end()
    writer.flush()
    row = store.session(tape.session)
    assert row
    again = writer.reopen(row, len(store.channels(row.id)))
    second = again.channel("http", "/later")
    again.record(second, "client", "ws.text", "", append(bytes(50)))
    writer.close()
    row = store.session(tape.session)
    assert row
    assert (row.status, row.events) == ("complete", 2)
    assert second == first + 1
    assert verify(store, row).fault is None


def test_a_secret_beside_audio_is_taken_out_and_the_audio_stays() -> None:
    store = MemoryStore()
    writer = Writer(store, SystemClock(), SECRETS)
    writer.start()
    tape = writer.open("openai", "t")
    channel = tape.channel("ws", "/?api-key=hunter2hunter2")
    audio = random.Random(1).randbytes(600)
    text = base64.b64encode(audio).decode()
    body = f'{{"note":"hunter2hunter2","audio":"{text}","type":"input_audio_buffer.append"}}'
    tape.record(channel, "client", "ws.text", "", body.encode())
    writer.close()
    (kept,) = messages(store, tape.session)
    assert b"hunter2" not in kept
    assert json.loads(kept)["audio"] == text
    assert store.audio(tape.session, 1) == audio
    assert "hunter2" not in store.channels(tape.session)[0].target


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 3), st.binary(max_size=50), st.booleans()), min_size=1, max_size=40
    )
)
def test_any_interleaving_of_channels_comes_back(steps: list[tuple[int, bytes, bool]]) -> None:
    store = MemoryStore()
    writer = Writer(store, SystemClock(), SECRETS)
    writer.start()
    tape = writer.open("openai", "t")
    for _ in range(3):
        tape.channel("ws", "/")
    sent = []
    for channel, data, speaks in steps:
        body = append(data) if speaks else data
        sent.append((channel, body))
        tape.record(channel, "client", "ws.text" if speaks else "ws.binary", "", body)
        if len(data) % 7 == 3:
            writer.flush()
    writer.close()
    row = store.session(tape.session)
    assert row
    assert [(e.channel, e.body) for e in Recording(store, tape.session).events()] == sent
    assert verify(store, row).fault is None
