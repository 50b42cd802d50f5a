from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recorder.audio.lanes import Piece, Playout, capture_lane, capture_starts, stereo

MS = 1_000_000
RATE = 8000


def audio(ms: int, value: int = 1000) -> np.ndarray:
    return np.full(ms * RATE // 1000, value, dtype=np.int16)


def spans(lane: np.ndarray, rate: int = RATE) -> list[tuple[float, float, int]]:
    """Stretches of one non-zero value as (start ms, end ms, value)."""
    edges = np.flatnonzero(np.diff(lane.astype(int), prepend=0, append=0))
    return [(a * 1000 / rate, b * 1000 / rate, int(lane[a])) for a, b in pairwise(edges) if lane[a]]


class TestPlayout:
    def test_a_burst_plays_in_order_in_real_time(self) -> None:
        playout = Playout(RATE)
        for at, value in ((890, 1), (930, 2), (990, 3)):
            playout.add(at * MS, audio(400, value))
        assert spans(playout.render(RATE, 3000 * MS)) == [
            (890, 1290, 1),
            (1290, 1690, 2),
            (1690, 2090, 3),
        ]
        assert playout.end_ns == 2090 * MS

    def test_an_interruption_drops_what_was_not_played(self) -> None:
        playout = Playout(RATE)
        for at, value in ((890, 1), (930, 2), (990, 3)):
            playout.add(at * MS, audio(400, value))
        playout.drop(1795 * MS)
        assert spans(playout.render(RATE, 3000 * MS)) == [
            (890, 1290, 1),
            (1290, 1690, 2),
            (1690, 1795, 3),
        ]

    def test_audio_after_an_interruption_plays_when_it_arrives(self) -> None:
        playout = Playout(RATE)
        playout.add(100 * MS, audio(5000, 1))
        playout.drop(300 * MS)
        playout.add(350 * MS, audio(50, 2))
        assert spans(playout.render(RATE, 1000 * MS)) == [(100, 300, 1), (350, 400, 2)]

    def test_an_interruption_drops_replies_that_wait(self) -> None:
        playout = Playout(RATE)
        playout.add(0, audio(100, 1))
        playout.add(500 * MS, audio(100, 2))
        playout.drop(50 * MS)
        assert spans(playout.render(RATE, 1000 * MS)) == [(0, 50, 1)]
        assert playout.end_ns == 50 * MS

    def test_an_interruption_after_the_end_changes_nothing(self) -> None:
        playout = Playout(RATE)
        playout.drop(0)
        playout.add(10 * MS, audio(20))
        playout.drop(31 * MS)
        assert spans(playout.render(RATE, 100 * MS)) == [(10, 30, 1000)]

    def test_a_late_piece_leaves_silence(self) -> None:
        playout = Playout(RATE)
        playout.add(0, audio(100))
        playout.add(150 * MS, audio(100))
        assert spans(playout.render(RATE, 300 * MS)) == [(0, 100, 1000), (150, 250, 1000)]

    def test_the_lane_is_as_long_as_asked(self) -> None:
        playout = Playout(RATE)
        assert playout.render(RATE, 250 * MS).tolist() == [0] * 2000
        playout.add(200 * MS, np.empty(0, np.int16))
        playout.add(200 * MS, audio(100))
        playout.add(900 * MS, audio(100))
        lane = playout.render(RATE, 250 * MS)
        assert (lane.size, spans(lane)) == (2000, [(200, 250, 1000)])

    def test_the_lane_is_resampled_without_moving(self) -> None:
        playout = Playout(RATE)
        for at in (300, 310, 320):
            playout.add(at * MS, audio(200, 8000))
        lane = playout.render(24000, 2000 * MS)
        assert lane.size == 48000
        loud = np.flatnonzero(np.abs(lane) > 4000) / 24.0
        assert (loud[0], loud[-1]) == pytest.approx((300, 900), abs=0.1)
        assert np.abs(np.diff(np.flatnonzero(np.abs(lane) > 4000))).max() == 1  # no seam


class TestCapture:
    def pieces(self, *at_ms: float, ms: int = 20, rate: int = RATE) -> list[Piece]:
        return [
            Piece(round(at * MS), np.full(ms * rate // 1000, n, np.int16), rate)
            for n, at in enumerate(at_ms, start=1)
        ]

    def starts(self, *at_ms: float) -> list[float]:
        pieces = self.pieces(*at_ms)
        found = [start for start, _, _ in spans(capture_lane(pieces, RATE))]
        assert [ns / MS for ns in capture_starts(pieces)] == pytest.approx(found, abs=0.125)
        return found

    def test_a_sender_that_keeps_time_is_placed_where_it_crossed(self) -> None:
        assert self.starts(105, 125, 145, 165) == [105, 125, 145, 165]

    def test_a_pause_of_the_sender_is_silence(self) -> None:
        assert self.starts(100, 120, 640, 660) == [100, 120, 640, 660]

    def test_jitter_makes_neither_gaps_nor_overlaps(self) -> None:
        assert self.starts(100, 127, 141, 168, 180) == [100, 120, 140, 160, 180]

    def test_a_late_first_piece_is_moved_back(self) -> None:
        assert self.starts(115, 121, 140, 160) == [100, 120, 140, 160]

    def test_a_burst_fills_the_stall_before_it(self) -> None:
        assert self.starts(0, 20, 200, 200, 200, 200, 200, 200, 200, 200, 200) == [
            n * 20 for n in range(11)
        ]

    def test_a_burst_cannot_move_what_kept_time(self) -> None:
        assert self.starts(100, 120, 180, 180, 180, 180) == [100, 120, 140, 160, 180, 200]

    def test_a_burst_at_the_beginning_starts_with_the_session(self) -> None:
        assert self.starts(5, 5, 5) == [0, 20, 40]

    def test_a_slow_sender_stays_within_the_jitter_bound(self) -> None:
        crossed = [n * 20.5 for n in range(400)]
        starts = self.starts(*crossed)
        early = [at - start for at, start in zip(crossed, starts, strict=True)]
        assert min(early) >= -0.125  # one sample
        assert max(early) <= 20

    def test_empty_pieces_count_for_nothing(self) -> None:
        assert capture_lane([], RATE).size == 0
        empty = Piece(5, np.empty(0, np.int16), RATE)
        assert capture_lane([empty], RATE).size == 0
        assert capture_starts([empty, *self.pieces(40), empty]) == [5, 40 * MS, 5]

    def test_a_change_of_rate_keeps_the_order(self) -> None:
        first, second = self.pieces(100, 120, ms=200)[0], self.pieces(120, ms=200, rate=24000)[0]
        tone = np.full(second.samples.size, 9000, np.int16)
        lane = capture_lane([first, Piece(second.at_ns, tone, 24000)], RATE)
        assert lane.size == (100 + 400) * 8
        assert (lane[800:2400] == 1).all()
        assert np.abs(lane[2500:3900].astype(int) - 9000).max() <= 1

    @settings(max_examples=80, deadline=None)
    @given(st.lists(st.tuples(st.integers(0, 90), st.integers(1, 60)), max_size=25))
    def test_every_sample_is_kept_once_and_in_order(self, steps: list[tuple[int, int]]) -> None:
        at, pieces, wanted = 0, [], []
        for wait, ms in steps:
            at += wait
            samples = np.arange(len(wanted) + 1, len(wanted) + 1 + ms * 8).astype(np.int16)
            wanted += samples.tolist()
            pieces.append(Piece(at * MS, samples, RATE))
        lane = capture_lane(pieces, RATE)
        assert lane[lane != 0].tolist() == wanted


def test_stereo_pads_the_shorter_lane() -> None:
    assert stereo(audio(1, 5)[:3], audio(1, 7)[:1]).tolist() == [[5, 7], [5, 0], [5, 0]]
    assert stereo(audio(0), audio(1, 7)[:1]).tolist() == [[0, 7]]
    assert stereo(audio(0), audio(0)).shape == (0, 2)
