"""In what form a segment is kept, and that each gives back the bytes of the wire."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.capture.encode import SealJob
from recorder.capture.sealing import lossless, seal
from recorder.errors import StoreError
from recorder.spans import Codec
from recorder.store.base import SegmentRow
from recorder.store.segments import wire_bytes

TONE = (np.sin(np.arange(2400) / 7) * 9000).astype("<i2").tobytes()


def job(data: bytes, codec: Codec = "pcm16", rate: int = 24_000, channels: int = 1) -> SealJob:
    return SealJob(SegmentRow("s", 1, 1, "provider", "", codec, rate, channels, 0), data)


@pytest.mark.parametrize(
    ("data", "codec", "form", "kept"),
    [
        (bytes(48_000), "pcm16", "constant", 1),
        (b"\xff" * 8_000, "pcmu", "constant", 1),
        (TONE, "pcm16", "flac", None),
        (TONE + b"\x07", "pcm16", "flac", None),
        (bytes(47_999) + b"\x01", "pcm16", "flac", None),
        (bytes(range(256)), "pcmu", "raw", 256),
        (b"\0", "pcm16", "raw", 1),
        (b"", "pcm16", "raw", 0),
    ],
)
def test_the_form_of_a_segment(data: bytes, codec: Codec, form: str, kept: int | None) -> None:
    sealed = seal(job(data, codec))
    assert (sealed.form, sealed.size, wire_bytes(sealed, 1)) == (form, len(data), data)
    assert kept is None or len(sealed.data) == kept
    assert lossless(job(data, codec)).form == ("flac" if codec == "pcm16" and data[1:] else "raw")


@given(st.binary(max_size=40), st.integers(0, 400), st.sampled_from(get_args(Codec)))
def test_every_segment_comes_back(piece: bytes, times: int, codec: Codec) -> None:
    made = job(piece * times, codec, channels=1 + times % 2)
    for sealed in (seal(made), lossless(made)):
        assert wire_bytes(sealed, made.row.channels) == made.data


def test_silence_that_cannot_be_is_refused() -> None:
    sealed = seal(job(bytes(48_000)))
    for size in (0, -1, 1 << 40):
        with pytest.raises(StoreError, match="cannot be a segment"):
            wire_bytes(sealed._replace(size=size), 1)
