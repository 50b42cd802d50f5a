import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from recorder.audio import files
from recorder.errors import RecorderError


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=400), st.integers(1, 8), st.sampled_from([1, 8000, 24000, 96001]))
def test_flac_gives_back_the_bytes(data: bytes, channels: int, rate: int) -> None:
    pcm = data[: len(data) // (2 * channels) * 2 * channels]
    assert files.decode_flac(files.encode_flac(pcm, rate, channels), channels) == pcm


@pytest.mark.parametrize(
    "pcm",
    [b"", b"\x01\x00", b"\xff\x7f\x00\x80" * 5000, os.urandom(48000)],
    ids=["empty", "one sample", "extremes", "noise"],
)
def test_flac_holds_edge_cases(pcm: bytes) -> None:
    assert files.decode_flac(files.encode_flac(pcm, 24000)) == pcm


def test_flac_makes_silence_small() -> None:
    assert len(files.encode_flac(bytes(48000), 24000)) < 1000


@pytest.mark.parametrize(
    ("rate", "stored"),
    [
        (-5, 1),
        (0, 1),
        (22050, 22050),
        (65535, 65535),
        (65536, 65540),
        (96001, 96000),
        (655_350, 655_350),
        (2**40, 655_350),
    ],
)
def test_a_rate_flac_cannot_carry_becomes_the_nearest(
    rate: int, stored: int, tmp_path: Path
) -> None:
    path = tmp_path / "x.flac"
    path.write_bytes(files.encode_flac(b"\x01\x00\x02\x00", rate))
    samples, found = files.read_audio(path)
    assert (samples.tolist(), found) == ([1, 2], stored)


def test_flac_works_without_memory_files(monkeypatch: pytest.MonkeyPatch) -> None:
    with_memory = files.encode_flac(b"\x01\x00" * 9000, 24000)
    monkeypatch.delattr(os, "memfd_create", raising=False)
    without = files.encode_flac(b"\x01\x00" * 9000, 24000)
    assert without == with_memory
    assert files.decode_flac(without) == b"\x01\x00" * 9000


@pytest.mark.parametrize("channels", [0, 9])
def test_flac_refuses_channels_it_cannot_hold(channels: int) -> None:
    with pytest.raises(ValueError, match="channels"):
        files.encode_flac(b"", 24000, channels)


def test_flac_refuses_a_part_of_a_frame() -> None:
    with pytest.raises(ValueError, match="whole frames"):
        files.encode_flac(bytes(6), 24000, 2)


def test_decoding_checks_channels_and_format(tmp_path: Path) -> None:
    stereo = files.encode_flac(bytes(8), 24000, 2)
    with pytest.raises(RecorderError, match="2 channels; 1 were expected"):
        files.decode_flac(stereo)
    with pytest.raises(RecorderError, match="not readable FLAC"):
        files.decode_flac(b"not flac at all")
    wav = tmp_path / "x.wav"
    files.write_wav(wav, bytes(8), 8000)
    with pytest.raises(RecorderError, match="audio is WAV PCM_16"):
        files.decode_flac(wav.read_bytes())
    deep = tmp_path / "deep.flac"
    soundfile.write(deep, np.zeros(4, np.int32), 8000, subtype="PCM_24")
    with pytest.raises(RecorderError, match="PCM_24"):
        files.decode_flac(deep.read_bytes())


def test_a_damaged_flac_is_reported() -> None:
    whole = files.encode_flac(os.urandom(20000), 24000)
    with pytest.raises(RecorderError, match="FLAC"):
        files.decode_flac(whole[: len(whole) // 2])


def test_wav_is_written_and_read(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    files.write_wav(path, b"\x01\x00\x03\x00\xff\x7f\xff\x7f", 16000, channels=2)
    frames, rate = soundfile.read(path, dtype="int16")
    assert (frames.tolist(), rate) == ([[1, 3], [32767, 32767]], 16000)
    mono, rate = files.read_audio(path)
    assert (mono.tolist(), rate, mono.dtype) == ([2, 32767], 16000, np.int16)


def test_unreadable_and_unwritable_files_are_named(tmp_path: Path) -> None:
    missing = tmp_path / "none" / "x.wav"
    with pytest.raises(RecorderError, match=r"cannot read .*x\.wav .*no such file"):
        files.read_audio(missing)
    with pytest.raises(RecorderError, match=r"cannot write .*x\.wav"):
        files.write_wav(missing, bytes(4), 8000)
    text = tmp_path / "t.wav"
    text.write_text("words")
    with pytest.raises(RecorderError, match=r"cannot read .*t\.wav"):
        files.read_audio(text)


def test_importing_files_does_not_load_libsndfile() -> None:
    code = "import sys, recorder.audio.files; sys.exit('soundfile' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
