import io

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from recorder.audio import codec, g711

EVERY_CODE = bytes(range(256))
EVERY_SAMPLE = np.arange(-32768, 32768, dtype=np.int32).astype(np.int16)


# Worked from the definition. µ-law: the line carries the inverse of sign|segment|step and the
# 14-bit magnitude is (2·step + 33)·2^segment - 33. A 16-bit sample is four times that.
#   0xFF -> 0|000|0000: 33 - 33 = 0             0x7F -> the other zero
#   0xFE -> 0|000|0001: 35 - 33 = 2             -> 8
#   0xEF -> 0|001|0000: 33·2 - 33 = 33          -> 132
#   0xF0 -> 0|000|1111: 63 - 33 = 30            -> 120
#   0xBF -> 0|100|0000: 33·16 - 33 = 495        -> 1980
#   0x8A -> 0|111|0101: 43·128 - 33 = 5471      -> 21884
#   0x80 -> 0|111|1111: 63·128 - 33 = 8031      -> 32124
ULAW = {
    0xFF: 0,
    0x7F: 0,
    0xFE: 8,
    0x7E: -8,
    0xF0: 120,
    0xEF: 132,
    0x6F: -132,
    0xBF: 1980,
    0x8A: 21884,
    0x80: 32124,
    0x00: -32124,
}
# A-law: the line carries sign|segment|step with its even bits (0x55) inverted, a set sign bit is
# positive. The 13-bit magnitude is 2·step + 1 in segment 0 and (2·step + 33)·2^(segment - 1)
# above. A 16-bit sample is eight times that.
#   0xD5 -> 1|000|0000: 1                       -> 8
#   0xDA -> 1|000|1111: 31                      -> 248
#   0xC5 -> 1|001|0000: 33                      -> 264
#   0x9D -> 1|100|1000: 49·8 = 392              -> 3136
#   0xAA -> 1|111|1111: 63·64 = 4032            -> 32256
ALAW = {
    0xD5: 8,
    0x55: -8,
    0xDA: 248,
    0xC5: 264,
    0x45: -264,
    0x9D: 3136,
    0xAA: 32256,
    0x2A: -32256,
}


@pytest.mark.parametrize(("code", "sample"), ULAW.items())
def test_ulaw_decodes_by_the_definition(code: int, sample: int) -> None:
    assert g711.decode_ulaw(bytes([code])).tolist() == [sample]


@pytest.mark.parametrize(("code", "sample"), ALAW.items())
def test_alaw_decodes_by_the_definition(code: int, sample: int) -> None:
    assert g711.decode_alaw(bytes([code])).tolist() == [sample]


# Decision values, 16-bit: in µ-law between codes 0xFF|0xFE at 1·4, 0xF0|0xEF at 31·4 and
# 0x81|0x80 at 7903·4; in A-law between 0xD5|0xD4 at 2·8, 0xDA|0xC5 at 32·8, 0xAB|0xAA at 3968·8.
@pytest.mark.parametrize(
    ("encode", "decision", "below", "above"),
    [
        (g711.encode_ulaw, 4, 0xFF, 0xFE),
        (g711.encode_ulaw, 124, 0xF0, 0xEF),
        (g711.encode_ulaw, 31612, 0x81, 0x80),
        (g711.encode_alaw, 16, 0xD5, 0xD4),
        (g711.encode_alaw, 256, 0xDA, 0xC5),
        (g711.encode_alaw, 31744, 0xAB, 0xAA),
    ],
)
def test_codes_change_at_the_decision_values(encode, decision, below, above) -> None:
    positive = np.array([decision - 1, decision], dtype=np.int16)
    assert encode(positive) == bytes([below, above])
    assert encode(-positive) == bytes([below ^ 0x80, above ^ 0x80])


def test_every_code_survives_but_the_second_zero_of_ulaw() -> None:
    assert g711.encode_alaw(g711.decode_alaw(EVERY_CODE)) == EVERY_CODE
    again = g711.encode_ulaw(g711.decode_ulaw(EVERY_CODE))
    assert again == EVERY_CODE.replace(b"\x7f", b"\xff")


def test_extremes_are_clipped() -> None:
    extremes = np.array([-32768, 32767], dtype=np.int16)
    assert g711.encode_ulaw(extremes) == b"\x00\x80"
    assert g711.encode_alaw(extremes) == b"\x2a\xaa"


@pytest.mark.parametrize(
    ("subtype", "encode", "decode"),
    [
        ("ULAW", g711.encode_ulaw, g711.decode_ulaw),
        ("ALAW", g711.encode_alaw, g711.decode_alaw),
    ],
)
def test_libsndfile_agrees_on_every_code_and_sample(subtype, encode, decode) -> None:
    raw = {"samplerate": 8000, "channels": 1, "subtype": subtype, "format": "RAW"}
    theirs, _ = soundfile.read(io.BytesIO(EVERY_CODE), dtype="int16", **raw)
    assert np.array_equal(decode(EVERY_CODE), theirs)
    file = io.BytesIO()
    soundfile.write(file, EVERY_SAMPLE, 8000, subtype=subtype, format="RAW")
    assert encode(EVERY_SAMPLE) == file.getvalue()


@given(st.binary(max_size=64), st.sampled_from(["pcm16", "pcmu", "pcma"]))
def test_wire_bytes_survive_their_codec(data: bytes, name) -> None:
    if name == "pcm16":
        data += data
    again = codec.encode(codec.decode(data, name), name)
    assert again == (data.replace(b"\x7f", b"\xff") if name == "pcmu" else data)
