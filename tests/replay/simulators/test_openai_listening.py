"""Turn detection on appended audio: known onsets, any chunking, any dialect of audio."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from openai_client import noise, silence

from recorder.audio import pcm
from replay.simulators.openai.listening import FRAME_MS, Ear, Turn
from replay.simulators.openai.sound import PCM

VAD = {"type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 200}


def hear(ear: Ear, audio: bytes, sizes: list[int]) -> list[tuple[Turn, bytes]]:
    """Append in pieces of these sizes, over and over; take each turn's audio as it ends."""
    heard, place, turn = [], 0, 0
    while place < len(audio):
        size = sizes[turn % len(sizes)]
        for found in ear.append(audio[place : place + size]):
            taken = b"" if found.kind == "start" else ear.take(found.start_ms, found.end_ms)
            heard.append((found, taken))
        place, turn = place + size, turn + 1
    return heard


bursts = st.lists(st.tuples(st.integers(400, 900), st.integers(100, 700)), min_size=1, max_size=3)


@settings(max_examples=20, deadline=None)
@given(bursts, st.lists(st.integers(61, 30_000), min_size=1, max_size=4))
def test_onsets_are_found_whatever_the_chunks(
    plan: list[tuple[int, int]], sizes: list[int]
) -> None:
    parts, onsets, ends, at = [], [], [], 0
    for quiet, loud in plan:
        parts += [silence(quiet), noise(loud)]
        onsets.append(at + quiet)
        ends.append(at + quiet + loud)
        at += quiet + loud
    audio = pcm.to_bytes(np.concatenate([*parts, silence(600)]))
    found = hear(Ear(PCM, VAD), audio, sizes)
    assert found == hear(Ear(PCM, VAD), audio, [len(audio)])
    starts = [turn for turn, _ in found if turn.kind == "start"]
    stops = [(turn, taken) for turn, taken in found if turn.kind == "stop"]
    assert len(starts) == len(stops) == len(plan)
    floor = 0
    for start, (stop, taken), onset, end in zip(starts, stops, onsets, ends, strict=True):
        assert start.start_ms == stop.start_ms
        expected = max(floor, onset - 300)
        assert expected - FRAME_MS < start.start_ms <= expected + FRAME_MS
        assert stop.end_ms % FRAME_MS == 0
        assert 200 <= stop.end_ms - end < 200 + 3 * FRAME_MS
        assert taken == audio[stop.start_ms * 48 : stop.end_ms * 48]
        floor = stop.end_ms


def test_the_threshold_decides_what_is_speech() -> None:
    quiet = pcm.to_bytes(np.concatenate([noise(500, level=100), silence(500)]))
    assert hear(Ear(PCM, VAD), quiet, [4800]) == []
    assert len(hear(Ear(PCM, {**VAD, "threshold": 0.1}), quiet, [4800])) == 2


def test_pauses_shorter_than_the_silence_do_not_end_a_turn() -> None:
    audio = pcm.to_bytes(np.concatenate([noise(400), silence(150), noise(400), silence(500)]))
    assert [turn.kind for turn, _ in hear(Ear(PCM, VAD), audio, [4800])] == ["start", "stop"]


def test_the_count_goes_on_after_commit_clear_and_new_settings() -> None:
    ear = Ear(PCM, None)
    ear.append(pcm.to_bytes(noise(500)))
    assert ear.commit()[:2] == (0, 500)
    ear.append(pcm.to_bytes(noise(300)))
    ear.clear()
    ear.configure({"type": "audio/pcmu"}, VAD)
    turns = hear(ear, b"\xff" * 8 * 640 + b"\x00\x80" * 4 * 640 + b"\xff" * 8 * 640, [160])
    assert [turn.kind for turn, _ in turns] == ["start", "stop"]
    assert turns[0][0].start_ms == 800 + 640 - 300


def test_long_silence_is_forgotten() -> None:
    ear = Ear(PCM, VAD)
    for _ in range(45):
        ear.append(pcm.to_bytes(silence(1000)))
    assert ear.now_ms == 45_000
    cut = ear.commit()
    assert cut.end_ms == 45_000
    assert cut.end_ms - cut.start_ms <= 31_000
