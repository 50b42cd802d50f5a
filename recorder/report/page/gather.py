"""What a page shows of a session, read from its store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recorder import metrics, projections
from recorder.metrics.catalogue import about
from recorder.metrics.evidence import Settings
from recorder.projections.marks import CostRow, MetricRow
from recorder.projections.rows import InterruptionRow, ResponseRow
from recorder.providers import provider
from recorder.recording import Recording
from recorder.report.models import ReadModels
from recorder.report.page.bill import bill, dollars
from recorder.report.page.lanes import drawn
from recorder.report.page.tape import Columns, Reader
from recorder.report.turns import Turn, places, turns
from recorder.report.wording import utc
from recorder.store.base import SessionRow, Store


class Gathered(NamedTuple):
    """`facts` are JSON; `frames` the samples of both sides (user, agent) at `lanes.RATE`, None
    without audio."""

    facts: dict[str, Any]
    frames: NDArray[np.int16] | None


def gather(store: Store, row: SessionRow, models: ReadModels) -> Gathered:
    """All that a page shows of a session. `row` as a reader should see it now."""
    reader = Reader(provider(row.provider))
    tape = Recording(store, row.id)
    reader.read(tape)
    tables, columns = models.tables, reader.columns
    lanes, frames = drawn(reader.lanes)
    at_ms = _times(columns)
    costs: list[CostRow] = tables["cost_line"]
    measured: list[MetricRow] = tables["metric"]
    facts = {
        "session": _session(row, tape),
        "kept": models.kept,
        "end_ms": max([*at_ms.values(), lanes.get("end_ms", 0.0)], default=0.0),
        "lanes": lanes,
        "turns": [_turn(each) for each in turns(tables)],
        "words": [_plain(each, "first_ns", "final_ns") for each in tables["transcript"]],
        "calls": [_plain(each, "called_ns", "answered_ns") for each in tables["tool_call"]],
        "cuts": _cuts(tables["interruption"], tables["response"]),
        "errors": [_plain(each, "at_ns") for each in tables["error"]],
        "unknown": [_plain(each) for each in tables["unknown"]],
        "metrics": [each[1:] for each in measured],
        "about": {each.metric: _about(each.metric) for each in measured},
        "cost": bill(costs, at_ms),
        "marks": reader.marks,
        "events": columns.__dict__,
        "provenance": _provenance(row, costs),
    }
    return Gathered(facts, frames)


def _times(columns: Columns) -> dict[int, float]:
    """Milliseconds by seq."""
    sums = np.cumsum(columns.at_us, dtype=np.int64)
    return {columns.first + place: int(at) / 1000 for place, at in enumerate(sums)}


def _session(row: SessionRow, tape: Recording) -> dict[str, Any]:
    return {
        "id": row.id,
        "trial": row.trial,
        "provider": row.provider,
        "model": row.model,
        "status": row.status,
        "origin": row.origin,
        "parent": row.parent,
        "external_id": row.external_id,
        "started": utc(row.wall_ns),
        "events": row.events,
        "digest": row.digest.hex() if row.digest else None,
        "channels": [
            {"channel": each.channel, "kind": each.kind, "target": each.target}
            for each in tape.channels()
        ],
    }


def _plain(row: Any, *times: str) -> dict[str, Any]:
    """A row as an object; its times in ms, named so. `session` is left out."""
    found = row._asdict()
    del found["session"]
    for name in times:
        ns = found.pop(name)
        found[name.replace("_ns", "_ms")] = None if ns is None else round(ns / 1e6, 3)
    return {name.rstrip("_"): value for name, value in found.items()}


def _cuts(
    rows: Sequence[InterruptionRow], responses: Sequence[ResponseRow]
) -> list[dict[str, Any]]:
    """Interruptions; `at_ms` is when the answer was cut: when somebody acted or was told, else when
    the last sound of the answer came. None: nothing tells it."""
    last = {each.response: each.last_audio_ns for each in responses}
    found = []
    for row in rows:
        times = (row.acted_ns, row.detected_ns, last.get(row.response or ""))
        at_ns = next((at for at in times if at is not None), None)
        plain = _plain(row, "detected_ns", "acted_ns", "ended_ns")
        found.append(plain | {"at_ms": None if at_ns is None else round(at_ns / 1e6, 3)})
    return found


def _turn(turn: Turn) -> dict[str, Any]:
    """A turn, with what it cost and where its sounds lie on the clock: `begin_ms` the user's first,
    `off_ms` the user's last, `on_ms` the agent's first. They are reckoned from measured values."""
    row = turn.row
    found = _plain(row, *(name for name in row._fields if name.endswith("_ns")))
    found["lines"] = len(turn.lines)
    found["usd"] = dollars(turn.usd)
    return found | places(row, turn.values)


def _about(metric: str) -> dict[str, str]:
    found = about(metric)
    return {"family": found.family, "unit": found.unit, "per": found.per, "what": found.what}


def _provenance(row: SessionRow, costs: Sequence[CostRow]) -> list[tuple[str, str]]:
    """Of which versions the page is made, as (what, value)."""
    settings = Settings()
    vad = ", ".join(f"{name} {value}" for name, value in settings.vad._asdict().items())
    books = sorted({line.price_book for line in costs if line.price_book})
    return [
        ("Definitions of metrics", f"version {metrics.VERSION}"),
        ("Read models", f"version {projections.VERSION}"),
        ("Speech is told from silence by", vad),
        ("Player of the listener", f"pre-buffer {settings.prebuffer_ms:g} ms, speed 1"),
        ("Deadline of an answer", f"{settings.deadline_ms:g} ms"),
        ("Prices", ", ".join(books) if books else "none used"),
        ("Digest chain", row.scheme),
    ]
