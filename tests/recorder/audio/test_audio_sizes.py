import pytest

from recorder.audio.sizes import duration_ms


def test_duration_counts_bytes_of_each_codec() -> None:
    assert duration_ms(48000, "pcm16", 24000) == 1000.0
    assert duration_ms(160, "pcmu", 8000) == duration_ms(160, "pcma", 8000) == 20.0
    assert duration_ms(48000, "pcm16", 24000, channels=2) == 500.0
    with pytest.raises(ValueError, match="0 Hz"):
        duration_ms(1, "pcm16", 0)
