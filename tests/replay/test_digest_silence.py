"""Silence that is cut out of streamed audio."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from replay.digest.silence import RUN_BYTES, without_silence

_RUNS = re.compile(rb"(.)\1{%d,}" % (RUN_BYTES - 1), re.S)
PIECES = st.lists(
    st.builds(
        lambda value, length: bytes([value]) * length,
        st.sampled_from([0, 255, 7]),
        st.sampled_from([1, 5, RUN_BYTES - 1, RUN_BYTES, RUN_BYTES + 1, 3 * RUN_BYTES + 7]),
    ),
    max_size=8,
)


def plainly(audio: bytes) -> bytes:
    """The same by regular expression."""

    def cut(found: re.Match[bytes]) -> bytes:
        is_outer = found.start() == 0 or found.end() == len(audio)
        return b"" if is_outer else found[0][:RUN_BYTES]

    return _RUNS.sub(cut, audio)


@given(PIECES)
def test_runs_are_found_wherever_they_lie(pieces: list[bytes]) -> None:
    audio = b"".join(pieces)
    assert without_silence(audio) == plainly(audio)


def test_nothing_is_left_of_silence() -> None:
    assert without_silence(b"") == b""
    assert without_silence(bytes(100_000)) == b""
    assert without_silence(bytes(RUN_BYTES - 1)) == bytes(RUN_BYTES - 1)
