"""Levels step by step."""

from __future__ import annotations

import numpy as np
import pytest

from recorder.audio.levels import levels


def test_each_step_has_its_level_and_an_offset_is_no_sound() -> None:
    loud = np.tile(np.array([1000, -1000], np.int16), 160)
    lane = np.concatenate((np.zeros(320, np.int16), loud, np.full(320, 500, np.int16), loud[:100]))
    assert levels(lane, 16_000, 20) == pytest.approx((0, 1000, 0, 1000))


@pytest.mark.parametrize(("samples", "steps"), [(0, 0), (1, 1), (320, 1), (321, 2)])
def test_silence_has_as_many_steps_as_sound(samples: int, steps: int) -> None:
    assert levels(np.zeros(samples, np.int16), 16_000, 20) == (0.0,) * steps
    sound = np.resize(np.array([5, -5], np.int16), samples)
    assert len(levels(sound, 16_000, 20)) == steps
