"""The rows that are shipped, asked of a trial whose moments are known."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from small_trial import TRIAL, Cue, keep
from tapes import conversation

from recorder.derive import refresh
from recorder.features.matrix import Cell, Matrix, fill
from recorder.features.reading import definitions
from recorder.heads import ResponseHead
from recorder.projections.marks import MetricRow
from recorder.store import open_store
from recorder.store.query import asking
from replay.simulators.common import SEED_HEADER


def filled(path: Path, trial: str = TRIAL) -> Matrix:
    def ask(sql: str, given: Mapping[str, str]) -> list[tuple[Any, ...]]:
        with asking(str(path), sql, given) as (_, rows):
            return list(rows)

    return fill(definitions(), trial, ask)


def told(matrix: Matrix, feature: str) -> list[str | None]:
    """What is shown of a feature, by column."""
    return [each.shown.text if each.shown else None for each in cells(matrix, feature)]


def cells(matrix: Matrix, feature: str) -> tuple[Cell, ...]:
    return next(row.cells for row in matrix.rows if row.feature.id == feature)


@pytest.fixture(scope="module")
def matrix(trial: Path) -> Matrix:
    return filled(trial)


@pytest.mark.parametrize(
    ("feature", "openai", "vapi"),
    [
        ("authentication", "2 of 2 sessions were let in and could be talked to", "2 of 2 sess"),
        ("live-audio", "the agent was heard in 2 of 2 spoken sessions", "the agent was heard in 2"),
        ("webhooks", None, "24 of 24 deliveries were answered with success"),
        ("turn-detection", "the end of 2 of 3 spoken turns was told", "the end of 2 of 2 spoken"),
        ("function-calling", "2 of 2 calls were answered by the application", "2 of 2 calls"),
        ("failing-tools", None, None),
        ("transcription", "3 of 3 spoken turns came with the user's words", "2 of 2 spoken turns"),
        ("cost-report", "2 of 2 sessions told what was used", "2 of 2 calls came with a bill"),
        ("latency-report", "0 of 2 sessions came with latencies", "2 of 2 sessions came with"),
        ("rate-limits", "0 of 2 sessions told what is left", None),
        ("recording", None, "0 of 2 reports named a recording"),
        ("voicemail", None, None),
    ],
)
def test_a_row_counts_what_the_tapes_hold(
    matrix: Matrix, feature: str, openai: str | None, vapi: str | None
) -> None:
    first, second, live = told(matrix, feature)
    assert (first is None, second is None) == (openai is None, vapi is None)
    assert (first or "").startswith(openai or "")
    assert (second or "").startswith(vapi or "")
    assert live is None


def test_every_cell_of_a_provider_without_sessions_is_documented_or_not_tested(
    matrix: Matrix,
) -> None:
    states = {row.cells[2].state for row in matrix.rows}
    assert states == {"documented", "not tested"}


def test_simulated_sessions_are_counted(matrix: Matrix) -> None:
    assert [(arm.sessions, arm.simulated) for arm in matrix.arms] == [(2, 2), (2, 2), (0, 0)]
    assert matrix.simulated == ("OpenAI Realtime", "Vapi")


@pytest.mark.parametrize(("name", "simulated"), [(SEED_HEADER, 1), ("x-request-id", 0)])
def test_a_simulator_at_an_address_is_known_by_its_seed(
    tmp_path: Path, name: str, simulated: int
) -> None:
    path = tmp_path / "tapes.db"
    run = {"scenario": "s", "provider": "openai", "repeat": 1, "target": "address"}
    head = ResponseHead(101, "Switching Protocols", ((name, "1"),), None).encode()
    takes = [
        each._replace(body=head) if each[2:4] == ("provider", "ws.open") else each
        for each in conversation()
    ]
    with closing(open_store(str(path), create=True)) as store:
        keep(store, run, takes, ())
        refresh(store)
    assert filled(path).arms[0].simulated == simulated


def test_barge_ins_count_if_the_agent_stopped_after_them(tmp_path: Path) -> None:
    path = tmp_path / "tapes.db"
    run = {"scenario": "s", "provider": "openai", "repeat": 1, "target": "live"}
    cues = (Cue(100, "yield"), Cue(2_000, "yield"), Cue(3_000, "yield"), Cue(3_500, "ignore"))
    late = Cue(4_000, "yield", "timeout")
    with closing(open_store(str(path), create=True)) as store:
        session = keep(store, run, conversation(), (*cues, late))
        refresh(store)
        seqs = [each.seq for each in store.events(session) if each.type == "trial.turn"]
        yields = [(300.0, seqs[0] + 1), (2_500.0, seqs[1] + 1), (400.0, seqs[3] + 1)]
        rows = [
            MetricRow(session, 900 + n, 1, "yield_ms", ms, "ms", "yield/1", "{}", seq, seq)
            for n, (ms, seq) in enumerate(yields)
        ]
        names = ("turn", "tool_call", "outline", "interruption", "mark", "usage", "cost_line")
        kept = {name: list(store.models(name, session)) for name in names}
        store.put_models(session, {**kept, "metric": rows})
    found = filled(path)
    # the second took too long, the third did not stop, the timeout tried nothing
    assert told(found, "interruption")[0] == "1 of 3 barge-ins made the agent stop within 2 s"
    assert told(found, "backchannel")[0] == (
        "the agent spoke on through 1 of 1 back-channels and noises"
    )
    assert found.arms[0].simulated == 0
