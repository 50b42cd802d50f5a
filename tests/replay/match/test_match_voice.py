"""Streamed audio against that of a tape, in each mode."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import pytest
from tapes import tone

from recorder.audio import g711
from recorder.audio.pcm import samples
from recorder.audio.silence import Form
from replay.match.hearing import AudioMode
from replay.match.sound import Sound
from replay.match.stretch import Stretch, Stretches
from replay.match.voice import Voice

PCM = Form()
GAP = bytes(48 * 400)
PIECE = 48 * 20


def pieces(audio: bytes, size: int = PIECE) -> list[Sound]:
    return [Sound(data=audio[at : at + size], form=PCM) for at in range(0, len(audio), size)]


def stretches(*audio: bytes, is_whole: bool = True) -> tuple[Stretch, ...]:
    """Of a tape with a message every 20 ms; steps count from 11, cuts included."""
    made, seq = Stretches(), 10
    for number, each in enumerate(audio, 1):
        for sound in pieces(each):
            made.hear(seq := seq + 1, sound)
        made.cut(seq := seq + 1, is_whole=is_whole or number < len(audio))
    return made.all()


def voice(*audio: bytes, mode: AudioMode = "exact", is_whole: bool = True) -> Voice:
    return Voice(stretches(*audio, is_whole=is_whole), mode)


def fits(one: Voice, audio: bytes, size: int = PIECE) -> bool:
    return all(one.take(sound) for sound in pieces(audio, size))


def told(one: Voice) -> tuple[int, str]:
    assert one.found
    return one.found.seq, one.found.text


@pytest.mark.parametrize("size", [2, 7, 100, 4_800, 10**6])
def test_the_same_samples_fit_however_they_are_cut(size: int) -> None:
    audio = tone(120) + GAP + tone(60, 700)
    one = voice(audio)
    assert fits(one, audio, size)
    assert one.end()


def test_silence_may_last_as_long_as_it_likes() -> None:
    one = voice(GAP + tone(100) + GAP + tone(60) + GAP)
    assert fits(one, tone(100) + bytes(48 * 50) + tone(60) + bytes(48 * 3_000))
    assert one.end()


def test_a_short_pause_is_part_of_the_speech() -> None:
    one = voice(tone(100) + bytes(48 * 40) + tone(60))
    assert not fits(one, tone(100) + bytes(48 * 30) + tone(60))
    assert told(one)[1].startswith("audio differs at 0.130 s (sample 3121)")


def test_a_changed_sample_is_told_with_its_step_time_and_number() -> None:
    audio = GAP + tone(2_000)
    changed = bytearray(audio)
    place = 48 * 1_420
    changed[place] ^= 1
    one = voice(audio)
    assert not fits(one, bytes(changed))
    assert told(one) == (11 + 71, "audio differs at 1.420 s (sample 34080)")
    assert one.found
    assert one.found.expected.startswith("<pcm16 24 kHz 2.00 s sha ")
    assert one.found.got.startswith("<pcm16 24 kHz 1.04 s so far sha ")
    assert not one.take(Sound(data=audio, form=PCM)), "nothing is compared after a difference"


def test_the_place_is_that_on_the_tape_though_the_client_was_silent_for_less() -> None:
    audio = GAP + tone(100) + GAP + tone(100)
    changed = bytearray(tone(100) + bytes(48 * 60) + tone(100))
    changed[-2] ^= 4
    one = voice(audio)
    assert not fits(one, bytes(changed))
    assert told(one)[1] == "audio differs at 1.000 s (sample 23999)"


def test_a_missing_end_is_told_at_the_cut() -> None:
    audio = tone(1_000)
    one = voice(audio, tone(100))
    assert fits(one, audio[: 48 * 980])
    assert not one.cut()
    assert told(one) == (11 + 49, "audio is missing from 0.980 s (sample 23520) on")


def test_sound_after_the_end_is_too_much() -> None:
    one = voice(tone(100), tone(200))
    assert fits(one, tone(100) + GAP)
    assert not fits(one, tone(20))
    assert told(one)[1] == "audio goes on after 0.100 s (sample 2400), where that of the tape ends"
    assert told(one)[0] == 11 + 5


def test_each_stretch_is_compared_with_its_own() -> None:
    one = voice(tone(100), tone(200, 300), b"")
    assert fits(one, tone(100))
    assert one.cut()
    assert fits(one, tone(200, 300))
    assert one.cut()
    assert fits(one, GAP)
    assert one.end()
    assert not fits(one, tone(20))


def test_a_client_that_says_nothing_lacks_all_of_it() -> None:
    one = voice(tone(100))
    assert not one.end()
    assert told(one) == (11, "audio is missing from 0.000 s (sample 1) on")
    assert voice().end()


@pytest.mark.parametrize("mode", ["exact", "energy", "duration"])
def test_what_was_cut_off_on_the_tape_may_go_on_or_stop_earlier(mode: AudioMode) -> None:
    for live in (tone(500), tone(500) + tone(900), tone(200)):
        one = voice(tone(500), mode=mode, is_whole=False)
        assert fits(one, live)
        assert one.end()
    one = voice(tone(500), is_whole=False)
    assert not fits(one, tone(500, 300))


def test_telephone_audio_is_compared_as_the_tape_codes_it() -> None:
    form = Form("pcmu", 8_000)
    coded = g711.encode_ulaw(samples(tone(300))[::3])
    tape = (Stretch(b"\xff" * 800 + coded, form, (0,), (3,), 4),)
    live = b"\x7f" * 80 + coded + b"\xff" * 999
    for mode in ("exact", "energy", "duration"):
        one = Voice(tape, mode)  # type: ignore[arg-type]
        assert one.form == form
        assert one.take(Sound(data=live, form=form)), mode
        assert one.end(), mode
    one = Voice(tape, "exact")
    assert not one.take(Sound(data=coded[:-1] + b"\1", form=form))
    assert told(one)[1] == f"audio differs at 0.400 s (sample {800 + 2_399})"


def louder(audio: bytes, factor: float) -> bytes:
    return np.rint(samples(audio) * factor).astype("<i2").tobytes()


def verdict(mode: AudioMode, tape: bytes, live: bytes) -> str | None:
    one = voice(tape, mode=mode)
    assert fits(one, live)
    return None if one.end() else told(one)[1]


SPEECH = tone(900) + bytes(48 * 700) + tone(600, 300)


@pytest.mark.parametrize(
    ("live", "text"),
    [
        (louder(SPEECH, 0.6), None),
        (tone(1_000) + bytes(48 * 2_000) + tone(500, 250), None),
        (GAP + SPEECH, None),
        (louder(SPEECH, 0.3), "speech differs at 0.000 s"),
        (tone(900) + bytes(48 * 700) + tone(200, 300), "speech differs at 1.600 s"),
        (tone(900), "speech is missing at 1.600 s"),
        (SPEECH + bytes(48 * 600) + tone(300), "speech is too many after 2.2"),
        (b"", "speech is missing at 0.000 s"),
    ],
)
def test_by_energy_pieces_of_speech_have_to_be_as_long_and_as_loud(
    live: bytes, text: str | None
) -> None:
    found = verdict("energy", SPEECH, live)
    assert found is None if text is None else (found or "").startswith(text), found


@pytest.mark.parametrize(
    ("live_ms", "text"),
    [
        (2_190, None),
        (1_810, None),
        (2_230, "audio is 0.23 s longer than on the tape"),
        (1_700, "audio is 0.30 s shorter than on the tape"),
    ],
)
def test_by_duration_as_much_sound_has_to_come(live_ms: int, text: str | None) -> None:
    assert verdict("duration", tone(2_000), GAP + tone(live_ms, 300)) == text


def test_ignored_audio_is_not_compared() -> None:
    assert verdict("ignore", tone(2_000), b"") is None
    assert verdict("ignore", tone(2_000), tone(3_000, 300)) is None


def channels(audio: Sequence[bytes]) -> list[Voice]:
    return [voice(each) for each in audio]


def test_each_channel_has_its_own_audio() -> None:
    """A client that connects anew begins anew."""
    first, second = channels([tone(100), tone(200)])
    assert fits(first, tone(100))
    assert fits(second, tone(200))
    assert first.end()
    assert second.end()


def test_ten_minutes_are_compared_in_a_moment() -> None:
    """Half a minute of sound after each half minute of silence, in pieces of 20 ms. The bound is
    generous for a busy machine; on an idle one it takes about 40 ms."""
    noise = np.random.default_rng(7).integers(-9_000, 9_000, 24_000 * 30, np.int16).tobytes()
    audio = (bytes(48 * 30_000) + noise) * 10
    cut = pieces(audio)
    one = voice(audio)
    begun = time.process_time()
    assert all(one.take(sound) for sound in cut)
    assert one.end()
    assert time.process_time() - begun < 1.0
