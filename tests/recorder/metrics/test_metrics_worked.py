"""The worked turns: the same turn is 320 ms or 950 ms, depending on the definition."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from tapes import WALL_NS, record
from worked import openai_turn, vapi_turn

from recorder import derive
from recorder.projections.marks import MetricRow
from recorder.store import open_store
from recorder.store.base import Store

OPENAI = {
    ("v2v_ms", 1): 950,
    ("arrival_ms", 1): 890,
    ("lead_silence_ms", 1): 60,
    ("event_ms", 1): 330,
    ("event_committed_ms", 1): 328,
    ("event_created_ms", 1): 320,
    ("first_token_ms", 1): 298,
    ("eos_delay_ms", 1): 560,
    ("onset_delay_ms", 1): 200,
    ("yield_ms", 1): 195,
    ("yield_detect_ms", 1): 190,
    ("yield_act_ms", 1): 5,
    ("truncate_error_ms", 1): 0,
    ("unheard_ratio", 1): 295 / 1200,
    ("required_prebuffer_ms", 1): 0,
    ("setup_ms", None): 50,
    ("setup_upgrade_ms", None): 20,
    ("setup_server_ms", None): 30,
    ("pacing_error_p99_ms", None): 0,
    ("realtime_ratio", None): 1,
    ("turns_answered", None): 1,
    ("response_rate", None): 1,
    ("errors", None): 0,
}
VAPI = {
    ("v2v_ms", 1): 1230,
    ("event_ms", 1): 760,
    ("eos_delay_ms", 1): 510,
    ("eos_delay_stamped_ms", 1): 420,
    ("vendor_transcriberLatency_ms", 1): 180,
    ("vendor_modelLatency_ms", 1): 420,
    ("vendor_voiceLatency_ms", 1): 280,
    ("vendor_residual_ms", 1): 350,
}


def _measured(store: Store, provider: str) -> dict[tuple[str, int | None], MetricRow]:
    wall_ns = WALL_NS // 1_000_000 * 1_000_000
    takes = openai_turn() if provider == "openai" else vapi_turn(wall_ns / 1e6)
    session = record(store, takes, wall_ns=wall_ns, provider=provider)
    row = store.session(session)
    assert row is not None
    derive.refresh(store)
    return {(each.metric, each.turn): each for each in store.models("metric", session)}


@pytest.mark.parametrize(("provider", "golden"), [("openai", OPENAI), ("vapi", VAPI)])
def test_every_value_of_a_worked_turn(
    provider: str, golden: dict[tuple[str, int | None], float]
) -> None:
    found = _measured(open_store("memory:", create=True), provider)
    have = {key: found[key].value for key in golden if key in found}
    assert have == pytest.approx(golden, abs=1e-3)


@pytest.mark.parametrize(("provider", "golden"), [("openai", OPENAI), ("vapi", VAPI)])
def test_by_sql_over_a_file(
    provider: str, golden: dict[tuple[str, int | None], float], tmp_path: Path
) -> None:
    path = tmp_path / "calls.db"
    store = open_store(str(path), create=True)
    _measured(store, provider)
    store.close()
    db = sqlite3.connect(path)
    found = {
        (name, turn): value
        for name, turn, value in db.execute("SELECT metric, turn, value FROM metric")
    }
    db.close()
    assert {key: found[key] for key in golden} == pytest.approx(golden, abs=1e-3)


def test_a_value_leads_to_its_events() -> None:
    store = open_store("memory:", create=True)
    found = _measured(store, "openai")
    session = store.sessions()[0].id
    events = {row.seq: row for row in store.events(session)}
    v2v = found["v2v_ms", 1]
    assert events[v2v.first_seq].type == "input_audio_buffer.append"
    assert events[v2v.first_seq].at_ns == 2_980_000_000, "the last 20 ms of speech"
    assert events[v2v.last_seq].type == "response.output_audio.delta"
    assert v2v.definition == "v2v_ms/1"
    assert '"open_dbfs":-45.0' in v2v.parameters
