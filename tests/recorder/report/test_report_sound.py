"""Both sides of a conversation on one clock."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from pybase64 import b64encode_as_string
from tapes import RATE, Script, Take, record, session_object, tone

from recorder.providers import PROVIDERS
from recorder.recording import Recording
from recorder.report.sound import two_sides
from recorder.store.memory import MemoryStore


def _sides(takes: list[Take], rate: int = RATE) -> NDArray[np.int16]:
    store = MemoryStore()
    tape = Recording(store, record(store, takes))
    return two_sides(tape.moments(), PROVIDERS["openai"].listener(), rate)


def _heard(lane: NDArray[np.int16], rate: int = RATE) -> list[tuple[int, int]]:
    """Where there is sound, as (from, to) in ms, holes below 5 ms closed."""
    loud = np.flatnonzero(np.abs(lane.astype(int)) > 200) * 1000 / rate
    if not loud.size:
        return []
    breaks = np.flatnonzero(np.diff(loud) > 5)
    starts = [loud[0], *loud[breaks + 1]]
    ends = [*loud[breaks], loud[-1]]
    return [(round(start), round(end)) for start, end in zip(starts, ends, strict=True)]


def _near(found: list[tuple[int, int]], wanted: list[tuple[int, int]]) -> bool:
    return len(found) == len(wanted) and np.allclose(found, wanted, atol=3)


def test_the_client_is_left_and_the_provider_right() -> None:
    script = Script().open().wait(480).append(tone(400))  # from 500 ms on
    script.wait(600).speak("item_a", tone(1000))  # 1500 ms
    frames = _sides(script.wait(1500).close().takes)
    assert _near(_heard(frames[:, 0]), [(500, 900)])
    assert _near(_heard(frames[:, 1]), [(1500, 2500)])
    assert len(frames) / RATE == pytest.approx(3.1, abs=0.001)


def test_the_samples_are_those_of_the_wire() -> None:
    pcm = tone(400, 523.0)
    frames = _sides(Script().wait(1000).append(pcm).wait(1000).speak("a", pcm).takes)
    wanted = np.frombuffer(pcm, "<i2")
    assert np.array_equal(frames[RATE : RATE + wanted.size, 0], wanted)
    start = int(2.4 * RATE)
    assert np.array_equal(frames[start : start + wanted.size, 1], wanted)


def test_what_arrives_faster_than_it_plays_is_queued() -> None:
    script = Script().wait(1000).speak("item_a", tone(600)).speak("item_b", tone(600))
    assert _near(_heard(_sides(script.takes)[:, 1]), [(1000, 2200)])


def test_the_queue_plays_on_after_the_last_event() -> None:
    frames = _sides(Script().wait(100).speak("item_a", tone(3000)).close().takes)
    assert _near(_heard(frames[:, 1]), [(100, 3100)])


@pytest.mark.parametrize(
    ("type_", "fields"),
    [
        ("conversation.item.truncate", {"item_id": "item_a", "audio_end_ms": 500}),
        ("response.cancel", {}),
        ("output_audio_buffer.clear", {}),
    ],
)
def test_an_interruption_by_the_client_drops_the_queue(
    type_: str, fields: dict[str, object]
) -> None:
    script = Script().wait(1000).speak("item_a", tone(3000)).wait(200)  # until 1500 ms
    script.client(type_, **fields).wait(2500)
    script.speak("item_b", tone(500))  # from 4000 ms
    assert _near(_heard(_sides(script.takes)[:, 1]), [(1000, 1500), (4000, 4500)])


def test_what_still_arrives_of_an_interrupted_item_is_not_heard() -> None:
    script = Script().wait(1000).speak("item_a", tone(1000)).wait(100)  # until 1200 ms
    script.client("conversation.item.truncate", item_id="item_a", audio_end_ms=200)
    script.speak("item_a", tone(1000)).wait(300).speak("item_b", tone(200))  # 1600 ms
    assert _near(_heard(_sides(script.takes)[:, 1]), [(1000, 1200), (1600, 1800)])


@pytest.mark.parametrize(
    ("interrupts", "heard"),
    [(True, [(1000, 1300)]), (False, [(1000, 3000)]), (None, [(1000, 1300)])],
)
@pytest.mark.parametrize("shape", ["ga", "beta"])
def test_speech_interrupts_unless_the_session_says_no(
    interrupts: bool | None, heard: list[tuple[int, int]], shape: str
) -> None:
    detection = {"type": "server_vad", "interrupt_response": interrupts}
    if interrupts is None:
        del detection["interrupt_response"]
    session = session_object()
    if shape == "ga":
        session["audio"]["input"]["turn_detection"] = detection
    else:
        session = {"modalities": ["audio"], "turn_detection": detection}
    script = Script().provider("session.updated", session=session).wait(1000)
    script.speak("item_a", tone(2000)).wait(100)
    script.provider("input_audio_buffer.speech_started", audio_start_ms=0)
    assert _near(_heard(_sides(script.takes)[:, 1]), heard)


def test_audio_that_is_only_spoken_about_is_not_heard() -> None:
    content = [{"type": "input_audio", "audio": b64encode_as_string(tone(500))}]
    item = {"id": "item_a", "type": "message", "role": "user", "content": content}
    script = Script().open().provider("conversation.item.retrieved", item=item)
    assert _sides(script.takes).shape == (0, 2)


def test_g711_is_decoded_and_resampled() -> None:
    ulaw = {"type": "audio/pcmu"}
    session = {"audio": {"input": {"format": ulaw}, "output": {"format": ulaw}}}
    script = Script().provider("session.updated", session=session).wait(1000)
    loud = b64encode_as_string((b"\x80\x80\x80\x80\x00\x00\x00\x00") * 200)  # 1 kHz, 200 ms
    script.provider("response.output_audio.delta", item_id="a", delta=loud)
    frames = _sides(script.takes, rate=16_000)
    assert _near(_heard(frames[:, 1], 16_000), [(1000, 1200)])
    assert np.abs(frames[:, 1].astype(int)).max() > 30_000


def test_samples_cut_by_two_messages_are_joined() -> None:
    pcm = tone(400, 523.0)
    script = Script().wait(1000)
    for start in range(0, len(pcm), 4801):
        data = b64encode_as_string(pcm[start : start + 4801])
        script.provider("response.output_audio.delta", item_id="a", delta=data)
    frames = _sides(script.takes)
    assert np.array_equal(frames[RATE:, 1], np.frombuffer(pcm, "<i2"))
