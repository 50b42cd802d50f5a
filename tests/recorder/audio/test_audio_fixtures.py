import hashlib
import json
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

from recorder.audio.files import read_audio
from recorder.audio.pcm import to_bytes
from recorder.audio.vad import Edge, EnergyVad

ROOT = Path(__file__).parents[3]
AUDIO = ROOT / "fixtures" / "audio"
INDEX = json.loads((AUDIO / "index.json").read_text(encoding="utf-8"))


def test_the_index_names_every_clip() -> None:
    assert sorted(clip["file"] for clip in INDEX["clips"]) == sorted(
        path.name for path in AUDIO.glob("*.flac")
    )
    assert {clip["role"] for clip in INDEX["clips"]} == {"caller", "agent"}


@pytest.mark.parametrize("clip", INDEX["clips"], ids=lambda clip: clip["file"])
def test_a_clip_is_what_the_index_says(clip: dict) -> None:
    path = AUDIO / clip["file"]
    assert path.stat().st_size < 60_000
    samples, rate = read_audio(path)
    assert rate == INDEX["rate"] == 24000
    assert hashlib.sha256(to_bytes(samples)).hexdigest() == clip["sha256"]
    assert samples.size / rate * 1000 == pytest.approx(clip["ms"], abs=0.001)
    audible = np.flatnonzero(samples)
    assert audible[0] == clip["lead_ms"] * 24
    assert samples.size - 1 - audible[-1] == clip["tail_ms"] * 24
    edges = EnergyVad(rate).feed(np.pad(samples, (0, rate)))
    assert edges == [Edge("start", clip["onset_ms"]), Edge("stop", clip["offset_ms"])]


def test_a_caller_clip_ends_its_own_turn() -> None:
    for clip in INDEX["clips"]:
        if clip["role"] == "caller":
            samples, rate = read_audio(AUDIO / clip["file"])
            assert EnergyVad(rate).feed(samples)[-1].kind == "stop"


@pytest.mark.skipif(
    (platform.system(), platform.machine()) != ("Linux", "x86_64")
    or version("espeakng-loader") != "0.2.4",
    reason="the clips were made by another build of espeak-ng",
)
def test_the_script_makes_the_same_clips_again() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "fixtures" / "make_audio.py", "--check"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
