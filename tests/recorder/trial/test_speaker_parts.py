"""The speaker's microphone and play-out clock on their own."""

from __future__ import annotations

import numpy as np
import pytest

from recorder.audio import g711, pcm
from recorder.trial.microphone import Microphone
from recorder.trial.playout import PlayOut

MS = 1_000_000


def test_chunks_are_due_when_they_would_have_been_recorded() -> None:
    microphone = Microphone("pcm16", 24_000, 20)
    assert microphone.next_deadline() is None
    microphone.start(5 * MS)
    assert microphone.next_deadline() == 25 * MS
    assert microphone.due(24 * MS) == []
    assert microphone.due(66 * MS) == [bytes(960)] * 3
    microphone.stop()
    assert microphone.due(1000 * MS) == []


def test_all_has_been_spoken_once_the_last_loud_sample_is_out() -> None:
    speech = np.concatenate([np.full(1000, 5000), np.zeros(1400)]).astype(np.int16)
    microphone = Microphone("pcm16", 24_000, 20)
    microphone.start(0)
    microphone.speak(pcm.to_bytes(speech), 24_000)
    states, sent = [], b""
    for at in range(20, 140, 20):
        sent += b"".join(microphone.due(at * MS))
        states.append((microphone.has_spoken, microphone.is_empty))
    assert states == [
        (False, False),
        (False, False),
        (True, False),
        (True, False),
        (True, True),
        (True, True),
    ]
    assert sent[: speech.size * 2] == pcm.to_bytes(speech)
    assert not any(sent[speech.size * 2 :])


@pytest.mark.parametrize(
    ("codec", "encode", "quiet"),
    [("pcmu", g711.encode_ulaw, b"\xff"), ("pcma", g711.encode_alaw, b"\xd5")],
)
def test_telephone_microphones_resample_and_code(codec, encode, quiet) -> None:  # type: ignore[no-untyped-def]
    tone = (8000 * np.sin(np.arange(4800) * 2 * np.pi * 440 / 24_000)).astype(np.int16)
    microphone = Microphone(codec, 8_000, 20)
    microphone.start(0)
    microphone.speak(pcm.to_bytes(tone), 24_000)
    sent = b"".join(microphone.due(300 * MS))
    assert sent[:1600] == encode(pcm.resample(tone, 24_000, 8_000))
    assert sent[1600:] == quiet * 800


def test_items_play_one_after_the_other() -> None:
    playout = PlayOut()
    playout.add("a", 300 * MS, 0)
    playout.add("a", 200 * MS, 50 * MS)
    playout.add("b", 400 * MS, 60 * MS)
    assert playout.ends_at == 900 * MS
    assert playout.heard_ns(0, 600 * MS) == 600 * MS
    assert playout.heard_ns(1, 600 * MS) == 100 * MS
    assert playout.heard_at(0, 700 * MS) == 700 * MS
    assert playout.heard_at(1, 500 * MS) is None


def test_a_queue_that_ran_dry_plays_late() -> None:
    playout = PlayOut()
    playout.add("a", 100 * MS, 0)
    playout.add("a", 100 * MS, 250 * MS)
    assert playout.ends_at == 350 * MS
    assert playout.heard_ns(0, 300 * MS) == 150 * MS


def test_an_interruption_names_what_was_not_heard_and_silences_it() -> None:
    playout = PlayOut()
    playout.add("heard", 100 * MS, 0)
    playout.complete()
    playout.add("cut", 500 * MS, 100 * MS)
    playout.add("queued", 500 * MS, 100 * MS)
    assert playout.interrupt(350 * MS) == [("cut", 250), ("queued", 0)]
    playout.add("cut", 500 * MS, 360 * MS)
    assert playout.ends_at <= 350 * MS
    assert playout.interrupt(2000 * MS) == []


def test_what_is_still_coming_counts_as_not_heard() -> None:
    playout = PlayOut()
    playout.add("a", 100 * MS, 0)
    assert playout.interrupt(900 * MS) == [("a", 100)]
