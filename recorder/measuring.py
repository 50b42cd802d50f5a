"""Measures a tape: reads what `metrics` needs from a store, and gives its values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recorder.audio.lanes import capture_starts
from recorder.audio.speech import first_voiced_ms, speech
from recorder.hearing import Heard, Lanes, Sorter, Stop
from recorder.metrics import measure
from recorder.metrics.evidence import Arrival, Dropped, Evidence, Sent, Settings
from recorder.projections.marks import CostRow, MetricRow
from recorder.projections.rows import Models
from recorder.providers import PROVIDERS
from recorder.recording import Moment, Recording
from recorder.store.base import SessionRow, Store
from recorder.trial.references import Said, references, said

_RATE = 16_000
_MS = 1_000_000
_CLIPPED = 32_760


def measured(store: Store, row: SessionRow, models: Models) -> list[MetricRow]:
    """All values of a session, but for those of its bill, whose read models are given."""
    gatherer = Gatherer(row)
    for moment in Recording(store, row.id).moments():
        gatherer.take(moment)
    return measure(gatherer.evidence(models))


class Gatherer:
    """Gathers what measuring rests on from a tape, event by event."""

    def __init__(self, row: SessionRow) -> None:
        self._row = row
        self._sorter = Sorter(PROVIDERS[row.provider].listener())
        self._said: list[Said] = []

    def take(self, moment: Moment) -> None:
        """The next event."""
        self._sorter.take(moment)
        told = said(moment.row)
        if told is not None:
            self._said.append(told)

    def evidence(self, models: Models, costs: Sequence[CostRow] = ()) -> Evidence:
        """All of it, after the last event."""
        settings, lanes = Settings(), self._sorter.lanes
        user, agent = lanes.sides(_RATE)
        is_timed = lanes.end_ns > 0
        stops = [each for each in lanes.played if isinstance(each, Stop)]
        return Evidence(
            models,
            speech(user, _RATE, settings.vad) if is_timed else (),
            speech(agent, _RATE, settings.vad) if is_timed else (),
            _arrivals(lanes, settings.voiced_dbfs) if is_timed else (),
            _sent(lanes) if is_timed else (),
            [Dropped(each.seq, each.at_ns / _MS) for each in stops],
            costs,
            references(self._said, models.turns),
            lanes.end_ns / _MS,
            self._row.wall_ns / _MS,
            is_timed,
            _clipped(lanes),
            settings,
        )


def _arrivals(lanes: Lanes, voiced_dbfs: float) -> list[Arrival]:
    """The agent's audio as it came, and when the listener heard each piece begin."""
    found: list[Arrival] = []
    free = 0.0  # when the player has played what it has
    for each in lanes.played:
        if isinstance(each, Stop):
            free = min(free, each.at_ns / _MS)
            continue
        start = max(free, each.at_ns / _MS)
        arrival = _arrival(each, start, voiced_dbfs)
        free = start + arrival.ms
        found.append(arrival)
    found += [_arrival(each, None, voiced_dbfs) for each in lanes.unheard]
    return sorted(found)


def _arrival(piece: Heard, played_ms: float | None, voiced_dbfs: float) -> Arrival:
    ms = piece.frames.size * 1000 / piece.rate
    voiced = first_voiced_ms(piece.frames, piece.rate, voiced_dbfs)
    return Arrival(piece.seq, piece.at_ns / _MS, ms, voiced, played_ms, piece.stream)


def _sent(lanes: Lanes) -> list[Sent]:
    starts = capture_starts(lanes.captured)
    return [
        Sent(seq, piece.at_ns / _MS, piece.samples.size * 1000 / piece.rate, start / _MS)
        for seq, piece, start in zip(lanes.captured_seqs, lanes.captured, starts, strict=True)
    ]


def _clipped(lanes: Lanes) -> float | None:
    """The share of the agent's samples at full scale."""
    pieces = [each.frames for each in (*lanes.played, *lanes.unheard) if isinstance(each, Heard)]
    total = sum(piece.size for piece in pieces)
    if not total:
        return None
    loud = (
        (piece >= _CLIPPED) | (piece <= -_CLIPPED) for piece in pieces if np.count_nonzero(piece)
    )
    return sum(int(each.sum()) for each in loud) / total
