"""A whole session of each provider by hand: what it comes to in read models, and by SQL."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from golden import openai_session, vapi_session
from tapes import WALL_NS, record

from recorder import derive
from recorder.store import open_store
from recorder.store.base import Store

# OpenAI. `u_off` 2000 and 4400; the answers are heard from 2800 (silence for 60 ms from 2740 on),
# and from 5700 on.
#   v2v      2800 - 2000 = 800, 5700 - 4400 = 1300; the median is the lower one
#   endpoint 2500 - 2000 = 500, 4900 - 4400 = 500
#   event    2740 - 2500 = 240, 5700 - 4900 = 800
#   cut      the user is back at 3800, heard at 4000 (200), the client truncates at 4010 (10): the
#            agent is silent 210 after 3800. It had played 4010 - 2740 = 1270 of 2000, told 1250.
#   tool     called at 5100 (700 after 4400), answered at 5400 (300), heard at 5700 (300, and one
#            sample at 24 kHz: a tone begins with 0)
OPENAI_METRICS = {
    ("v2v_ms", 1): 800,
    ("v2v_ms", 2): 1300,
    ("eos_delay_ms", 1): 500,
    ("eos_delay_ms", 2): 500,
    ("event_ms", 1): 240,
    ("event_ms", 2): 800,
    ("yield_ms", 1): 210,
    ("yield_detect_ms", 1): 200,
    ("yield_act_ms", 1): 10,
    ("truncate_error_ms", 1): 20,
    ("unheard_ratio", 1): 1 - 1270 / 2000,
    ("tool_decide_ms", 2): 700,
    ("tool_exec_ms", 2): 300,
    ("tool_resume_ms", 2): 300 + 1 / 24,
    ("turns", None): 2,
    ("turns_answered", None): 2,
    # (64 + 128 + 64 + 192) cached of (50 + 100) + (80 + 220) + (120 + 260) tokens that went in
    ("cached_ratio", None): 448 / 830,
}
# Dollars a million tokens of gpt-realtime: text 4 in, 0.40 cached, 16 out; audio 32, 0.40, 64; of
# the transcriber 1.25 in, 5 out.
#   resp_1   50 x 4 + 100 x 32 + 20 x 16 + 40 x 64                       = 6280
#   resp_2   16 x 4 + 64 x 0.4 + 92 x 32 + 128 x 0.4 + 15 x 16           = 3324.8
#   resp_3   56 x 4 + 64 x 0.4 + 68 x 32 + 192 x 0.4 + 10 x 16 + 10 x 64 = 3302.4
#   words    2 x 1.25 + 10 x 1.25 + 6 x 5                                = 45
OPENAI_USD = {1: Decimal("0.006325"), 2: Decimal("0.0066272")}
OPENAI_USED = {
    ("model", "text_in"): 50 + 16 + 56,
    ("model", "text_cached"): 64 + 64,
    ("model", "audio_in"): 100 + 92 + 68,
    ("model", "audio_cached"): 128 + 192,
    ("model", "text_out"): 20 + 15 + 10,
    ("model", "audio_out"): 40 + 10,
    ("transcriber", "text_in"): 2,
    ("transcriber", "audio_in"): 10,
    ("transcriber", "text_out"): 6,
}

# Vapi. `u_off` 2000 and 5200; the answers are heard from 2900 and 6100 on.
#   v2v      2900 - 2000 = 900, 6100 - 5200 = 900
#   endpoint read 2400 - 2000 = 400, 5600 - 5200 = 400; stamped 2350 - 2000, 5550 - 5200
#   event    by stamps 2850 - 2350 = 500, 6060 - 5550 = 510
#   cut      the user is back at 4600, heard at 4750 (150), the queue is dropped at 4770 (20); the
#            agent sounds until 4800: 200 after 4600, its last piece came at 4790, 40 after 4750
#   tool     called at 5700 (500 after 5200), answered at 5950 (250), heard at 6100 (150, and
#            one sample at 16 kHz)
VAPI_METRICS = {
    ("v2v_ms", 1): 900,
    ("v2v_ms", 2): 900,
    ("eos_delay_ms", 1): 400,
    ("eos_delay_ms", 2): 400,
    ("eos_delay_stamped_ms", 1): 350,
    ("eos_delay_stamped_ms", 2): 350,
    ("event_ms", 1): 500,
    ("event_ms", 2): 510,
    ("yield_ms", 1): 200,
    ("yield_detect_ms", 1): 150,
    ("yield_act_ms", 1): 20,
    ("server_tail_ms", 1): 40,
    ("tool_decide_ms", 2): 500,
    ("tool_exec_ms", 2): 250,
    ("tool_resume_ms", 2): 150 + 1 / 16,
    ("turns", None): 2,
    ("turns_answered", None): 2,
    ("usd", None): 0.01635,
}
# What Vapi charged: 0.002 + 0.0021 + 0.00225 + 0.01. The report comes after the last turn.
VAPI_USD = {None: Decimal("0.01635")}
VAPI_USED = {
    ("transcriber", "duration"): 0.2,
    ("model", "text_in"): 800 - 300,
    ("model", "text_cached"): 300,
    ("model", "text_out"): 40,
    ("voice", "characters"): 45,
    ("vapi", "duration"): 0.2,
}

CASES = [
    pytest.param("openai", OPENAI_METRICS, OPENAI_USD, OPENAI_USED, id="openai"),
    pytest.param("vapi", VAPI_METRICS, VAPI_USD, VAPI_USED, id="vapi"),
]
Key = tuple[str, int | None]


def _filled(store: Store, provider: str) -> Store:
    wall_ns = WALL_NS // 1_000_000 * 1_000_000
    takes = openai_session() if provider == "openai" else vapi_session(wall_ns / 1e6)
    record(store, takes, provider=provider, wall_ns=wall_ns)
    derive.refresh(store)
    return store


@pytest.mark.parametrize(("provider", "metrics", "usd", "used"), CASES)
def test_rows(
    provider: str,
    metrics: dict[Key, float],
    usd: dict[int | None, Decimal],
    used: dict[tuple[str, str], float],
) -> None:
    store = _filled(open_store("memory:", create=True), provider)
    values = {(row.metric, row.turn): row.value for row in store.models("metric")}
    have = {key: values[key] for key in metrics if key in values}
    assert have == pytest.approx(metrics, abs=1e-5)
    assert [turn.was_interrupted for turn in store.models("turn")] == [True, False]
    paid: dict[int | None, Decimal] = {}
    for line in store.models("cost_line"):
        paid[line.turn] = paid.get(line.turn, Decimal(0)) + Decimal(line.usd)
    assert paid == usd
    sums: dict[tuple[str, str], float] = {}
    for row in store.models("usage"):
        key = row.component, row.meter
        sums[key] = sums.get(key, 0) + float(row.quantity)
    assert sums == used


@pytest.mark.parametrize(("provider", "metrics", "usd", "used"), CASES)
def test_by_sql(
    provider: str,
    metrics: dict[Key, float],
    usd: dict[int | None, Decimal],
    used: dict[tuple[str, str], float],
    tmp_path: Path,
) -> None:
    path = tmp_path / "calls.db"
    _filled(open_store(str(path), create=True), provider).close()
    with closing(sqlite3.connect(path)) as db:

        def ask(sql: str) -> list[Any]:
            return db.execute(sql).fetchall()

        asked = """SELECT metric, turn, value_ms FROM v_latency UNION ALL
                   SELECT metric, turn, value FROM metric WHERE unit <> 'ms'"""
        found = {(name, turn): value for name, turn, value in ask(asked)}
        have = {key: found[key] for key in metrics if key in found}
        assert have == pytest.approx(metrics, abs=1e-5)
        asked = "SELECT turns, v2v_p50_ms, tool_calls, interruptions, errors, usd FROM v_sessions"
        v2v = min(metrics["v2v_ms", 1], metrics["v2v_ms", 2])
        total = pytest.approx(float(sum(usd.values())))
        assert ask(asked) == [(2, v2v, 1, 1, 0, total)]
        billed = ask("SELECT turn, sum(usd) FROM v_cost GROUP BY turn")
        assert dict(billed) == pytest.approx({turn: float(usd[turn]) for turn in usd})
        meters = "SELECT component, meter, sum(CAST(quantity AS REAL)) FROM usage GROUP BY 1, 2"
        assert {(a, b): total for a, b, total in ask(meters)} == used
        assert ask("SELECT turn, exec_ms FROM v_tools") == [(2, metrics["tool_exec_ms", 2])]
        (cut,) = ask("SELECT turn, cut_off_by, detected_ms FROM v_interruptions")
        assert cut == {"openai": (1, "client", 4000), "vapi": (1, "provider", 4750)}[provider]


EVIDENCE = {
    "openai": {
        ("setup_ms", None): ((0, ""), (50, "session.created")),
        ("setup_upgrade_ms", None): ((0, ""), (20, "101")),
        ("setup_server_ms", None): ((20, "101"), (50, "session.created")),
        ("v2v_ms", 1): ((1980, "append"), (2740, "response.output_audio.delta")),
        ("v2v_ms", 2): ((4380, "append"), (5700, "response.output_audio.delta")),
        ("onset_delay_ms", 1): ((1000, "append"), (1200, "speech_started")),
        ("eos_delay_ms", 1): ((1980, "append"), (2500, "speech_stopped")),
        ("event_ms", 1): ((2500, "speech_stopped"), (2740, "response.output_audio.delta")),
        ("event_committed_ms", 1): ((2502, "committed"), (2740, "response.output_audio.delta")),
        ("event_created_ms", 1): (
            (2510, "response.created"),
            (2740, "response.output_audio.delta"),
        ),
        ("event_asked_ms", 2): ((5401, "response.create"), (5700, "response.output_audio.delta")),
        ("first_token_ms", 1): (
            (2502, "committed"),
            (2700, "response.output_audio_transcript.delta"),
        ),
        ("stt_delay_ms", 1): (
            (1980, "append"),
            (2900, "conversation.item.input_audio_transcription.completed"),
        ),
        ("yield_ms", 1): ((3800, "append"), (4010, "conversation.item.truncate")),
        ("yield_detect_ms", 1): ((3800, "append"), (4000, "speech_started")),
        ("yield_act_ms", 1): ((4000, "speech_started"), (4010, "conversation.item.truncate")),
        ("tool_decide_ms", 2): ((4380, "append"), (5100, "response.function_call_arguments.done")),
        ("tool_resume_ms", 2): (
            (5400, "conversation.item.create"),
            (5700, "response.output_audio.delta"),
        ),
    },
    "vapi": {
        ("setup_ms", None): ((0, ""), (15, "status-update")),
        ("v2v_ms", 1): ((1990, "audio"), (2900, "audio")),
        ("onset_delay_ms", 2): ((4600, "audio"), (4750, "speech-update")),
        ("eos_delay_ms", 1): ((1990, "audio"), (2400, "speech-update")),
        ("event_ms", 1): ((2400, "speech-update"), (2880, "speech-update")),
        ("stt_delay_ms", 2): ((5190, "audio"), (5650, "transcript")),
        ("yield_ms", 1): ((4600, "audio"), (4790, "audio")),
        ("yield_detect_ms", 1): ((4600, "audio"), (4750, "speech-update")),
        ("yield_act_ms", 1): ((4750, "speech-update"), (4770, "user-interrupted")),
        ("server_tail_ms", 1): ((4750, "speech-update"), (4790, "audio")),
        ("tool_exec_ms", 2): ((5700, "tool-calls"), (5950, "tool-calls")),
    },
}


@pytest.mark.parametrize("provider", ["openai", "vapi"])
def test_each_value_names_the_events_that_it_rests_on(provider: str) -> None:
    store = _filled(open_store("memory:", create=True), provider)
    (session,) = store.sessions()
    events = {row.seq: row for row in store.events(session.id)}

    def told(seq: int) -> tuple[float, str]:
        row = events[seq]
        return row.at_ns / 1e6, row.type.removeprefix("input_audio_buffer.")

    found = {
        (row.metric, row.turn): (told(row.first_seq), told(row.last_seq))
        for row in store.models("metric")
    }
    assert {key: found.get(key) for key in EVIDENCE[provider]} == EVIDENCE[provider]


def test_an_interruption_rests_on_the_event_that_detected_it() -> None:
    store = _filled(open_store("memory:", create=True), "openai")
    (session,) = store.sessions()
    types = {row.seq: row.type for row in store.events(session.id)}
    (cut,) = store.models("interruption")
    assert types[cut.first_seq] == "input_audio_buffer.speech_started"
    assert types[cut.last_seq] == "conversation.item.truncate"
