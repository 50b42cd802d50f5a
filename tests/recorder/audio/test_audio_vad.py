import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recorder.audio.vad import Edge, EnergyVad

RATE = 8000
FRAME = 256  # 32 ms


def noise(frames: int, dbfs: float = -20.0) -> np.ndarray:
    """Frames of a square wave of exactly this level."""
    level = round(32768 * 10 ** (dbfs / 20))
    return np.tile(np.array([level, -level], dtype=np.int16), frames * FRAME // 2)


def silence(frames: int) -> np.ndarray:
    return np.zeros(frames * FRAME, dtype=np.int16)


def edges(*parts: np.ndarray, **options) -> list[Edge]:
    return EnergyVad(RATE, **options).feed(np.concatenate(parts))


def test_edges_lie_where_the_sound_changed() -> None:
    found = edges(silence(10), noise(20), silence(30), noise(5), silence(16))
    assert found == [
        Edge("start", 320.0),
        Edge("stop", 960.0),
        Edge("start", 1920.0),
        Edge("stop", 2080.0),
    ]


def test_a_start_needs_96_ms_and_a_stop_500() -> None:
    assert edges(noise(2), silence(20)) == []
    assert edges(noise(3)) == [Edge("start", 0.0)]
    assert edges(noise(3), silence(15)) == [Edge("start", 0.0)]
    assert edges(noise(3), silence(16)) == [Edge("start", 0.0), Edge("stop", 96.0)]


def test_a_short_pause_does_not_end_speech() -> None:
    assert edges(noise(4), silence(15), noise(4), silence(16)) == [
        Edge("start", 0.0),
        Edge("stop", 23 * 32.0),
    ]


def test_a_click_does_not_begin_speech_nor_delay_its_onset() -> None:
    assert edges(noise(1), silence(1), noise(3)) == [Edge("start", 64.0)]


def test_the_threshold_divides() -> None:
    assert edges(noise(5, -46.0)) == []
    assert edges(noise(5, -44.0)) == [Edge("start", 0.0)]
    assert edges(noise(5, -46.0), threshold_dbfs=-50.0) == [Edge("start", 0.0)]


def test_a_constant_offset_is_not_sound() -> None:
    assert edges(np.full(20 * FRAME, 9000, dtype=np.int16)) == []


def test_speaking_tells_the_state() -> None:
    vad = EnergyVad(RATE)
    assert not vad.speaking
    vad.feed(noise(3))
    assert vad.speaking
    vad.feed(silence(16))
    assert not vad.speaking


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 25)), max_size=8),
    st.lists(st.integers(0, 3 * FRAME), max_size=40),
)
def test_edges_do_not_depend_on_chunking(runs: list[tuple[bool, int]], cuts: list[int]) -> None:
    audio = np.concatenate([silence(0), *(noise(n) if loud else silence(n) for loud, n in runs)])
    vad = EnergyVad(RATE)
    pieces = np.split(audio, np.minimum(np.cumsum(cuts, dtype=int), audio.size))
    assert [edge for piece in pieces for edge in vad.feed(piece)] == edges(audio)


def test_edges_alternate_and_advance() -> None:
    rng = np.random.default_rng(3)
    audio = np.concatenate(
        [noise(int(n)) if i % 2 else silence(int(n)) for i, n in enumerate(rng.integers(1, 30, 60))]
    )
    found = edges(audio)
    assert len(found) > 10
    assert [edge.kind for edge in found] == (["start", "stop"] * len(found))[: len(found)]
    assert [edge.at_ms for edge in found] == sorted({edge.at_ms for edge in found})


@pytest.mark.parametrize("options", [{"frame_ms": 0}, {"start_ms": 0}, {"stop_ms": -1}])
def test_times_must_be_positive(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="positive"):
        EnergyVad(RATE, **options)


def test_a_frame_needs_a_sample() -> None:
    with pytest.raises(ValueError, match="no sample"):
        EnergyVad(10)
