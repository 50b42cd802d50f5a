"""Measures a tape: reads what `metrics` needs from a store, and gives its values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from recorder.audio.speech import first_voiced_ms, speech
from recorder.hearing import Heard, Lanes, Sorter, Stop
from recorder.metrics import measure
from recorder.metrics.evidence import Arrival, Evidence, Sent, Settings
from recorder.projections.marks import CostRow, MetricRow
from recorder.projections.rows import Models
from recorder.providers import PROVIDERS
from recorder.recording import Recording
from recorder.store.base import SessionRow, Store

_RATE = 16_000
_MS = 1_000_000
_CLIPPED = 32_760


def measured(
    store: Store,
    row: SessionRow,
    models: Models,
    costs: Sequence[CostRow] = (),
    references: Mapping[int, str] | None = None,
) -> list[MetricRow]:
    """All values of a session whose read models are given."""
    return measure(gather(store, row, models, costs, references or {}))


def gather(
    store: Store,
    row: SessionRow,
    models: Models,
    costs: Sequence[CostRow] = (),
    references: Mapping[int, str] | None = None,
    settings: Settings | None = None,
) -> Evidence:
    """What measuring a session rests on."""
    settings = settings or Settings()
    sorter = Sorter(PROVIDERS[row.provider].listener())
    for moment in Recording(store, row.id).moments():
        sorter.take(moment)
    lanes = sorter.lanes
    user, agent = lanes.sides(_RATE)
    is_timed = lanes.end_ns > 0
    return Evidence(
        models,
        speech(user, _RATE, settings.vad) if is_timed else (),
        speech(agent, _RATE, settings.vad) if is_timed else (),
        _arrivals(lanes, settings.voiced_dbfs) if is_timed else (),
        _sent(lanes) if is_timed else (),
        [stop.at_ns / _MS for stop in lanes.played if isinstance(stop, Stop)],
        costs,
        references or {},
        lanes.end_ns / _MS,
        row.wall_ns / _MS,
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
    pieces = zip(lanes.captured_seqs, lanes.captured, strict=True)
    return [
        Sent(seq, piece.at_ns / _MS, piece.samples.size * 1000 / piece.rate)
        for seq, piece in pieces
    ]


def _clipped(lanes: Lanes) -> float | None:
    """The share of the agent's samples at full scale."""
    pieces = [each.frames for each in (*lanes.played, *lanes.unheard) if isinstance(each, Heard)]
    total = sum(piece.size for piece in pieces)
    if not total:
        return None
    return sum(int((np.abs(piece.astype(np.int32)) >= _CLIPPED).sum()) for piece in pieces) / total
