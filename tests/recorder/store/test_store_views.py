"""The views: what they say of the library, and that their columns are what is written of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from library import fill

from recorder import derive
from recorder.store import open_store
from recorder.store.view_about import VIEW_ABOUT
from recorder.store.views import VIEWS

_PYTHON = {"text": (str,), "integer": (int,), "real": (int, float)}


@pytest.fixture(scope="module")
def names() -> dict[str, str]:
    return {}


@pytest.fixture(scope="module")
def db(
    tmp_path_factory: pytest.TempPathFactory, names: dict[str, str]
) -> Iterator[sqlite3.Connection]:
    """The library, in a file, as any SQL tool opens it."""
    path = tmp_path_factory.mktemp("views") / "library.db"
    with closing(open_store(str(path), create=True)) as store:
        names.update(fill(store))
        derive.refresh(store)
    with closing(sqlite3.connect(Path(path))) as connection:
        connection.row_factory = sqlite3.Row
        yield connection


def ask(db: sqlite3.Connection, sql: str, *given: Any) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in db.execute(sql, given)]


def test_every_column_is_described_and_of_its_type(db: sqlite3.Connection) -> None:
    assert VIEW_ABOUT.keys() == VIEWS.keys()
    for view, (_, columns) in VIEW_ABOUT.items():
        rows = db.execute(f"SELECT * FROM {view}").fetchall()
        assert rows, view
        assert rows[0].keys() == list(columns)
        for name, column in columns.items():
            values = [row[name] for row in rows if row[name] is not None]
            assert values or name in ("user_started_ms",), f"{view}.{name} is never there"
            assert all(isinstance(value, _PYTHON[column.type]) for value in values), (view, name)


def test_sessions(db: sqlite3.Connection, names: dict[str, str]) -> None:
    asked = """
        SELECT session_id, turns, v2v_p50_ms, tool_calls, interruptions, errors, usd, end_reason
        FROM v_sessions ORDER BY session_id
    """
    assert ask(db, asked) == [
        (names["spoken"], 2, 850.0, 1, 1, 0, None, "1000"),  # its transcriber has no price
        (names["typed"], 1, None, 2, 0, 3, None, "1011 internal error"),
        (names["call"], 2, 1520.0, 1, 0, 0, pytest.approx(0.0158), "customer-ended-call"),
        (names["again"], 2, 850.0, 1, 0, 0, None, "1000"),
        (names["left"], 0, None, 0, 0, 0, None, None),
    ]
    assert ask(db, "SELECT session, started_at, duration_s, events FROM v_sessions LIMIT 1") == [
        (names["spoken"], "2026-09-21T14:13:20.123Z", 6.732, 60)
    ]


def test_the_metric_turns_counts_as_the_view(db: sqlite3.Connection) -> None:
    asked = """
        SELECT turns, value, (SELECT count(*) FROM v_turns
                              WHERE v_turns.session_id = v_sessions.session_id)
        FROM v_sessions JOIN metric ON metric.session = session_id AND metric.metric = 'turns'
        ORDER BY session_id
    """
    assert ask(db, asked) == [(2, 2, 2), (1, 1, 1), (2, 2, 2), (2, 2, 2)]


def test_turns_have_their_latency_and_cost(db: sqlite3.Connection, names: dict[str, str]) -> None:
    asked = """
        SELECT turn, origin, user_stopped_ms, first_audio_ms, user_text, agent_text, v2v_ms,
               event_ms, round(usd, 6), first_seq, last_seq
        FROM v_turns WHERE session_id = ? ORDER BY turn
    """
    assert ask(db, asked, names["again"]) == [
        (1, "speech", 1760.0, 2110.0, "Hello there.", "Good morning.", 850.0, 350.0, None, 18, 46),
        (2, "text", None, None, "What is the time in Łódź?", "", None, None, 0.00036, 47, 55),
    ]


def test_latencies_by_name(db: sqlite3.Connection, names: dict[str, str]) -> None:
    asked = """
        SELECT metric, turn, value_ms, definition, first_seq, last_seq FROM v_latency
        WHERE session_id = ? AND metric IN ('v2v_ms', 'arrival_ms', 'eos_delay_ms', 'setup_ms')
        ORDER BY metric
    """
    assert ask(db, asked, names["call"]) == [
        ("arrival_ms", 2, 1520.0, "arrival_ms/1", 281, 460),
        ("eos_delay_ms", 2, 380.0, "eos_delay_ms/1", 281, 325),
        ("setup_ms", None, 18.0, "setup_ms/1", 1, 5),
        ("v2v_ms", 2, 1520.0, "v2v_ms/1", 281, 460),
    ]


def test_costs_of_what_was_charged_and_of_the_book(
    db: sqlite3.Connection, names: dict[str, str]
) -> None:
    asked = """
        SELECT provider, model, component, meter, quantity, unit, usd, charged_by,
               price_book IS NULL
        FROM v_cost WHERE session_id = ? ORDER BY usd
    """
    assert ask(db, asked, names["call"])[:2] == [
        (
            "vapi",
            "deepgram/nova-3",
            "transcriber",
            "duration",
            0.1,
            "minute",
            0.0011,
            "provider",
            1,
        ),
        (
            "vapi",
            "11labs/eleven_turbo_v2_5",
            "voice",
            "characters",
            45,
            "character",
            0.00275,
            "provider",
            1,
        ),
    ]
    unknown = "SELECT count(*), count(usd), min(charged_by) FROM v_cost WHERE session_id = ?"
    assert ask(db, unknown, names["typed"]) == [(2, 0, "book")]


def test_tools_interruptions_errors_and_words(
    db: sqlite3.Connection, names: dict[str, str]
) -> None:
    tools = "SELECT name, arguments, output, called_ms, exec_ms FROM v_tools WHERE session_id = ?"
    assert ask(db, tools, names["call"]) == [("look_up", '{"city": "Oslo"}', "rain", 3100.0, 250.0)]
    cuts = (
        "SELECT session_id, turn, cut_off_by, detected_ms, acted_ms, heard_ms FROM v_interruptions"
    )
    assert ask(db, cuts) == [(names["spoken"], 1, "client", 2410.0, 2420.0, 400.0)]
    errors = "SELECT class, side, code, is_fatal, seq FROM v_errors ORDER BY seq"
    assert ask(db, errors) == [
        ("model", "provider", "server_error", 0, 15),
        ("client", "client", "unknown_parameter", 0, 16),
        ("transport", "provider", "1011", 1, 17),
    ]
    words = "SELECT role, text FROM v_transcripts WHERE session_id = ? ORDER BY ordinal"
    assert ask(db, words, names["call"]) == [
        ("assistant", "Good day, how can I help?"),
        ("user", "What is the weather in Oslo?"),
        ("assistant", "It rains in Oslo."),
    ]


def test_evidence_leads_back_to_the_events(db: sqlite3.Connection, names: dict[str, str]) -> None:
    asked = """
        SELECT v_events.type FROM v_latency JOIN v_events
            ON v_events.session_id = v_latency.session_id AND v_events.seq = v_latency.last_seq
        WHERE metric = 'v2v_ms' AND v_latency.session_id = ?
    """
    assert ask(db, asked, names["spoken"]) == [("response.output_audio.delta",)]
