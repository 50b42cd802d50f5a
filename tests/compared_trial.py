"""A trial on a store whose truth is given: rows as `record trial` and read models leave them."""

from __future__ import annotations

import hashlib
import json
import random
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from recorder.derive import mark
from recorder.ids import session_id
from recorder.pricing import PriceBook
from recorder.projections.marks import CostRow, MarkRow, MetricRow
from recorder.projections.rows import OutlineRow, ToolCallRow, TurnRow
from recorder.providers import PROVIDERS
from recorder.store.base import Batch, ChannelRow, EventRow, SessionRow, Store

WALL_NS = 1_780_000_000_000_000_000
_S = 1_000_000_000
SCENARIO = """schema = 1
id = "{id}"
title = "A call"
[agent]
instructions = "Help."
[[turn]]
say = "Hello."
{more}"""


@dataclass(frozen=True)
class Arm:
    """A provider, and its truth."""

    name: str
    latency_ms: float = 800.0
    failing: float = 0.0
    usd: float = 0.05
    success: float = 1.0


@dataclass
class Made:
    """One run before it is stored; a test may change it."""

    arm: Arm
    scenario: str
    repeat: int
    v2v_ms: list[float]
    greeting_ms: float
    usd: float | None
    calls: list[bool]
    outcome: str = "finished"
    stall_ms: float = 5.0
    source: str | None = None
    target: str = "simulator"
    status: str = "complete"
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str, int]:
        return self.arm.name, self.scenario, self.repeat


Change = Callable[[Made], None]


def fill(
    store: Store,
    arms: tuple[Arm, ...],
    *,
    scenarios: int = 10,
    repeats: int = 5,
    seed: int = 1,
    trial: str = "switch",
    change: Change = lambda made: None,
    begun_ns: int = WALL_NS,
) -> dict[tuple[str, str, int], str]:
    """Store a trial; its sessions by arm, scenario and repeat."""
    chance, sessions = random.Random(seed), {}
    for number in range(scenarios):
        name, shared = f"scenario-{number:02}", chance.gauss(0, 0.15)
        own = {arm.name: shared + chance.gauss(0, 0.06) for arm in arms}
        for repeat in range(1, repeats + 1):
            for arm in arms:
                made = _made(arm, name, repeat, own[arm.name], chance)
                change(made)
                wall_ns = begun_ns + len(sessions) * 60 * _S
                sessions[made.key] = _stored(store, made, trial, wall_ns)
    return sessions


def _mark(store: Store, row: SessionRow) -> MarkRow:
    if row.provider in PROVIDERS:
        return mark(store, row, _prices())
    return MarkRow(row.id, 3, "", "", "")


@cache
def _prices() -> PriceBook:
    return PriceBook.shipped().then(WALL_NS)


def _made(arm: Arm, name: str, repeat: int, level: float, chance: random.Random) -> Made:
    level += chance.gauss(0, 0.12)
    waits = []
    for _ in range(6):
        wait = 800 * 2.718281828 ** (level + chance.gauss(0, 0.30))
        wait *= chance.uniform(1.8, 4) if chance.random() < 0.04 else 1.0
        waits.append(wait + arm.latency_ms - 800)
    usd = arm.usd * 2.718281828 ** chance.gauss(0, 0.15)
    calls = [chance.random() < arm.failing for _ in range(4)]
    outcome = "finished" if chance.random() < arm.success else "failed"
    greeting = 500 * 2.718281828 ** chance.gauss(0, 0.1)
    source = SCENARIO.format(id=name, more="")
    return Made(arm, name, repeat, waits, greeting, usd, calls, outcome, source=source)


def _stored(store: Store, made: Made, trial: str, wall_ns: int) -> str:
    session = session_id(wall_ns, chance=zlib.crc32(trial.encode()))
    row = SessionRow(
        session,
        trial,
        made.arm.name,
        wall_ns,
        "sha256/1",
        "run",
        model=f"{made.arm.name}-model",
        status=made.status,  # type: ignore[arg-type]
        ended_ns=60 * _S,
        events=3,
        digest=b"digest",
    )
    notes = _notes(made, trial)
    events = [
        EventRow(
            session, seq, seq * _S, 1, "recorder", "note", type_, json.dumps(facts), None, b"d"
        )
        for seq, (type_, facts) in enumerate(notes, 1)
    ]
    store.commit(Batch([row], [ChannelRow(session, 1, "notes", "trial")], events))
    store.put_models(session, _models(store, row, made))
    return session


def _notes(made: Made, trial: str) -> list[tuple[str, Mapping[str, Any]]]:
    text = made.source or SCENARIO.format(id=made.scenario, more="")
    run = {
        "trial": trial,
        "scenario": made.scenario,
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "file": f"{made.scenario}.toml",
        "provider": made.arm.name,
        "repeat": made.repeat,
        "target": made.target,
        "turns": 1,
        "source": made.source,
        "criteria": None,
        **made.facts,
    }
    turn = {"turn": 1, "mode": "respond", "after": "session_ready", "trigger": "anchor"}
    end = {"outcome": made.outcome, "reason": None, "stall_ms": made.stall_ms}
    return [("trial.run", run), ("trial.turn", turn), ("trial.end", end)]


def _models(store: Store, row: SessionRow, made: Made) -> dict[str, list[tuple[Any, ...]]]:
    session = row.id
    values = [(turn, "v2v_ms", wait, "ms") for turn, wait in enumerate(made.v2v_ms, 1)]
    values += [
        (None, "greeting_ms", made.greeting_ms, "ms"),
        (None, "pacing_error_p99_ms", 1.0, "ms"),
        (None, "realtime_ratio", 1.0, "ratio"),
        (None, "turns_answered", float(len(made.v2v_ms)), "count"),
    ]
    usd = None if made.usd is None else f"{made.usd:f}"
    return {
        "outline": [
            OutlineRow(session, *[None] * 3, 0, *[None] * 3, 60 * _S, *[None] * 2, 0, 1, 3)
        ],
        "turn": [
            TurnRow(session, turn, "speech", *[None] * 9, "", "", 1, 0, False, None, None, 1, 3)
            for turn in range(1, len(made.v2v_ms) + 1)
        ],
        "metric": [
            MetricRow(session, number, turn, name, value, unit, f"{name}/1", "{}", 1, 3)
            for number, (turn, name, value, unit) in enumerate(values, 1)
        ],
        "tool_call": [
            ToolCallRow(session, n, f"call-{n}", 1, None, "book", "{}", _S, "{}", 2 * _S, bad, 1, 3)
            for n, bad in enumerate(made.calls, 1)
        ],
        "cost_line": [
            CostRow(
                session,
                1,
                None,
                row.provider,
                None,
                "model",
                "audio_out",
                "1",
                "minute",
                usd,
                "book",
                "shipped 2026-08-04",
                3,
            )
        ],
        "mark": [_mark(store, row)],
    }
