"""Samples are found in WAV files, and lifted from them however they are cut into pieces."""

from __future__ import annotations

import io
import struct
import wave
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from thoroughness import examples

from recorder.audio.wav import WavData, wav_data
from recorder.providers import provider
from recorder.spans import AudioField

FMT = struct.Struct("<HHIIHH")


def chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def riff(*chunks: bytes) -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def fmt(tag: int, bits: int, channels: int = 1, rate: int = 8000, more: bytes = b"") -> bytes:
    width = channels * bits // 8
    return chunk(b"fmt ", FMT.pack(tag, channels, rate, rate * width, width, bits) + more)


def test_a_file_of_the_standard_library_is_read() -> None:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes(bytes(400))
    assert wav_data(file.getvalue()) == WavData(44, 400, "pcm16", 16_000, 2)


@pytest.mark.parametrize(
    ("tag", "bits", "codec"), [(1, 16, "pcm16"), (7, 8, "pcmu"), (6, 8, "pcma")]
)
def test_codecs_and_other_chunks(tag: int, bits: int, codec: str) -> None:
    file = riff(
        chunk(b"LIST", b"odd"), fmt(tag, bits), chunk(b"fact", b"1234"), chunk(b"data", b"12")
    )
    found = wav_data(file)
    assert found is not None
    assert (found.codec, found.rate, found.size) == (codec, 8000, 2)
    assert file[found.start : found.start + 2] == b"12"


def test_extensible_names_its_format_in_a_guid() -> None:
    guid = struct.pack("<HHIH", 22, 16, 3, 1) + b"\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71"
    found = wav_data(riff(fmt(0xFFFE, 16, 2, more=guid), chunk(b"data", b"1234")))
    assert found is not None
    assert (found.codec, found.channels) == ("pcm16", 2)


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
def test_a_size_that_was_never_written_means_all_that_follows(size: int) -> None:
    file = riff(fmt(1, 16)) + b"data" + struct.pack("<I", size) + b"1234"
    found = wav_data(file)
    assert found is not None
    assert found.size is None


@pytest.mark.parametrize(
    "file",
    [
        b"",
        b"RIFF",
        b"RIFF\0\0\0\0AVI ",
        riff(chunk(b"data", b"12")),
        riff(fmt(3, 32), chunk(b"data", b"1234")),
        riff(fmt(1, 24), chunk(b"data", b"123")),
        riff(fmt(1, 16, channels=0), chunk(b"data", b"12")),
        riff(fmt(1, 16, rate=0), chunk(b"data", b"12")),
        riff(fmt(1, 16)),
        riff(chunk(b"fmt ", b"\1\0"), chunk(b"data", b"12")),
        riff(fmt(0xFFFE, 16), chunk(b"data", b"12")),
    ],
)
def test_what_is_not_known_is_none(file: bytes) -> None:
    assert wav_data(file) is None


@settings(max_examples=examples(60), deadline=None)
@given(st.binary(max_size=300), st.lists(st.integers(0, 400), max_size=6), st.binary(max_size=9))
def test_the_tracker_lifts_the_samples_of_any_pieces(
    data: bytes, cuts: list[int], tail: bytes
) -> None:
    """What stands behind the samples stays in the body; each piece comes to the same stream."""
    file = riff(fmt(1, 16, 2), b"data" + struct.pack("<I", len(data)) + data) + tail
    start = file.index(b"data") + 8
    places = sorted({0, len(file), *(min(start + cut, len(file)) for cut in cuts)})
    tracker = provider("vapi").tracker()
    name = "GET /call/01900000-0000-7000-8000-000000000001/stereo-recording"
    audio, rest = b"", b""
    for begin, end in pairwise(places):
        piece = file[begin:end]
        insight = tracker.inspect(1, "provider", "http.chunk", name, piece)
        assert insight.type == "GET /call/{id}/stereo-recording"
        at = 0
        for field in insight.audio:
            assert field[2:] == AudioField(0, 0, "raw", "recording", "pcm16", 8000, 2)[2:]
            rest += piece[at : field.start]
            audio += piece[field.start : field.end]
            at = field.end
        rest += piece[at:]
    assert tracker.inspect(1, "provider", "http.chunk", name, b"").ended == ("recording",)
    expected = data or tail  # a size of 0 is one that was never written
    assert (audio, rest) == (expected, file[:start] + (tail if data else b""))
