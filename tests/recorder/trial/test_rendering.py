"""Rendering: speech from the cache, files up to their true end, everything with its digest."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from scenes import scenario, tone

from recorder.audio.files import write_wav
from recorder.audio.pcm import samples
from recorder.errors import RecorderError
from recorder.trial import rendering
from recorder.trial.rendering import Renderer, cache_folder
from recorder.trial.sounds import RATE

SAY = 'say = "Wait, please."'


def test_speech_is_rendered_once_and_then_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Renderer(tmp_path / "cache").render(scenario(), tmp_path)
    assert len(list((tmp_path / "cache").iterdir())) == 2
    clip = made[1]
    assert clip.sha256 == hashlib.sha256(clip.pcm).hexdigest()
    sound = samples(clip.pcm)
    tail = RATE * 600 // 1000
    assert not sound[-tail:].any()
    assert np.abs(sound[-tail - RATE // 100 : -tail].astype(int)).max() > 50
    assert clip.ms == pytest.approx((sound.size - tail) / 24, abs=1)
    monkeypatch.setattr(rendering._engine(), "say", None)
    assert Renderer(tmp_path / "cache").render(scenario(), tmp_path) == made


def test_a_file_is_resampled_and_cut_at_its_last_sound(tmp_path: Path) -> None:
    write_wav(tmp_path / "wait.wav", tone(400, 8000) + b"\0\0" * 8000, 8000)
    made = Renderer(tmp_path).render(scenario((SAY, 'file = "wait.wav"')), tmp_path)
    assert made[2].ms == pytest.approx(400, abs=11)


def test_noise_keys_and_silence_need_no_voice(tmp_path: Path) -> None:
    noisy = scenario((SAY, 'noise = { kind = "cough", ms = 300 }'))
    renderer = Renderer(tmp_path)
    assert renderer.render(noisy, tmp_path) == renderer.render(noisy, tmp_path)
    assert renderer.render(noisy, tmp_path)[2].ms == 300
    assert renderer.render(scenario((SAY, 'dtmf = "1"')), tmp_path)[2].ms == 100
    assert list(renderer.render(scenario((SAY, "silence_ms = 900")), tmp_path)) == [1]


def test_what_gives_no_sound_is_told(tmp_path: Path) -> None:
    write_wav(tmp_path / "nothing.wav", b"\0\0" * 8000, 8000)
    with pytest.raises(RecorderError, match=r"turn 2: 'nothing.wav' is silent"):
        Renderer(tmp_path).render(scenario((SAY, 'file = "nothing.wav"')), tmp_path)
    with pytest.raises(RecorderError, match="no voice 'nobody'"):
        Renderer(tmp_path).render(scenario(('voice = "en-us"', 'voice = "nobody"')), tmp_path)


def test_the_cache_is_where_the_user_has_it() -> None:
    assert cache_folder({"XDG_CACHE_HOME": "/c", "HOME": "/h"}) == Path(
        "/c/conversation-recorder/speech"
    )
    assert cache_folder({"HOME": "/h"}) == Path("/h/.cache/conversation-recorder/speech")
