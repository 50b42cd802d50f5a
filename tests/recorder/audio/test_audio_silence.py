"""Audio without what of its silence is timing."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.audio.codec import decode, encode
from recorder.audio.silence import RUN_MS, SILENT, ZEROS, Condenser, Form, condensed
from recorder.spans import SAMPLE_BYTES, Codec

PCM = Form("pcm16", 1_000)  # 50 samples are 50 ms
RUN = 50 * 2
SOUND = st.binary(min_size=2, max_size=8).map(lambda raw: raw[: len(raw) // 2 * 2])
SILENCE = st.sampled_from([2, 6, RUN - 2, RUN, RUN + 2, 3 * RUN]).map(bytes)
STREAMS = st.lists(SOUND | SILENCE | st.just(b"\0\1\0\1") | st.just(b"\1\0"), max_size=8).map(
    b"".join
)


def plainly(audio: bytes) -> bytes:
    """The same, sample by sample."""
    text = audio.decode("utf-16-le", "surrogatepass")
    return re.sub("\0{50,}", "\0" * 50, text.strip("\0")).encode("utf-16-le", "surrogatepass")


@given(STREAMS)
def test_silence_at_the_ends_is_left_out_and_long_runs_are_cut(audio: bytes) -> None:
    assert condensed(audio, PCM) == plainly(audio)


@given(STREAMS, st.lists(st.integers(0, 900), max_size=12))
def test_the_cuts_do_not_matter_even_within_a_sample(audio: bytes, cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(audio)]
    condenser = Condenser(PCM)
    pieces = [condenser.feed(audio[a:b]) for a, b in pairwise(places)]
    assert b"".join(pieces) == condensed(audio, PCM)
    assert condenser.given == sum(map(len, pieces))


@given(STREAMS)
def test_a_place_leads_back_to_the_same_sample(audio: bytes) -> None:
    condenser = Condenser(PCM)
    kept = condenser.feed(audio)
    for at in range(0, len(kept), 2):
        place = condenser.place(at)
        assert audio[place : place + 2] == kept[at : at + 2]


@pytest.mark.parametrize(
    ("codec", "silent", "sound"), [("pcmu", b"\xff", b"\x00"), ("pcma", b"\xd5", b"\x2a")]
)
def test_telephones_have_silence_of_their_own(codec: Codec, silent: bytes, sound: bytes) -> None:
    form = Form(codec, 8_000)
    run = 8 * RUN_MS
    audio = silent * 700 + sound + silent * (run + 1) + sound + silent * 3
    assert condensed(audio, form) == sound + silent * run + sound
    assert condensed(b"\0" * 900 if codec == "pcma" else b"\x80" * 900, form)


def test_both_zeros_of_mu_law_are_the_same_sample() -> None:
    form = Form("pcmu", 8_000)
    assert condensed(b"\x7f" * 500 + b"\1\x7f\1" + b"\xff" * 9, form) == b"\1\xff\1"
    assert condensed(b"\1\x7e\1", form) != condensed(b"\1\xff\1", form)


def test_both_codes_of_a_law_next_to_zero_are_silence() -> None:
    form = Form("pcma", 8_000)
    assert condensed(b"\x55" * 500 + b"\1\x55\1" + b"\xd5\x55" * 9, form) == b"\1\xd5\1"
    assert condensed(b"\1\x54\1", form) != condensed(b"\1\xd5\1", form)


@pytest.mark.parametrize("codec", ["pcm16", "pcmu", "pcma"])
def test_silence_is_what_zero_is_coded_as_and_what_is_as_near_to_it(codec: Codec) -> None:
    zeros, width = ZEROS[codec], SAMPLE_BYTES[codec]
    assert encode(np.zeros(3, np.int16), codec) == SILENT[codec] * 3 * width
    size = np.abs(decode(b"".join(bytes([code]) * width for code in range(256)), codec))
    smallest = {code for code in range(256) if size[code] == size.min()}
    assert smallest == set(zeros)


def test_a_half_sample_of_zero_is_no_silence() -> None:
    """256 is 00 01: its low byte belongs to the sample and not to the silence before it."""
    audio = bytes(10) + b"\0\1" + bytes(RUN) + b"\1\0" + bytes(10)
    assert condensed(audio, PCM) == b"\0\1" + bytes(RUN) + b"\1\0"


def test_a_form_tells_its_sizes() -> None:
    assert Form("pcm16", 24_000, 2).frame == 4
    assert Form().byte_rate == 48_000
    assert str(Form("pcmu", 8_000)) == "pcmu 8 kHz"
    assert str(Form("pcm16", 22_050)) == "pcm16 22.05 kHz"
