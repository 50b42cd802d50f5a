"""What is particular to a store in a file: its settings, its WAL, its views, its copies."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from store_samples import S, T, begin, chunk, event, events, everything, label, new_store, raw, ref

import recorder.store.schema as t
import recorder.store.tape_views as v
from recorder.errors import StoreError
from recorder.store import open_store, sql
from recorder.store.base import (
    AudioRef,
    Batch,
    ChannelRow,
    EventRow,
    RunRow,
    Sealed,
    SegmentRow,
    Store,
)
from recorder.store.files import backup, info
from recorder.store.opening import REVISION
from recorder.store.sql import SqlStore
from recorder.store.sqlite import sqlite_path, wal_bytes
from recorder.store.statements import SHAPES

NOISE = b"\x01\xff"  # what is all one byte takes no room


def test_rows_are_bound_in_the_order_of_their_columns() -> None:
    for table, row in (
        (t.run, RunRow),
        (v.channel, ChannelRow),
        (v.event, EventRow),
        (v.event_audio, AudioRef),
    ):
        assert tuple(table.columns.keys()) == row._fields
    for table, row in ((t.tape_channel, ChannelRow), (t.tape_event_audio, AudioRef)):
        assert tuple(table.columns.keys()) == row._fields
    assert tuple(t.tape_audio.columns.keys()) == SegmentRow._fields + Sealed._fields[2:]
    assert tuple(t.tape_event.columns.keys()) == SHAPES[-1]


def test_a_new_file_has_the_settings_of_a_writer(sql_store: SqlStore) -> None:
    assert sql_store._db
    settings = {
        "page_size": 4096,
        "journal_mode": "wal",
        "foreign_keys": 1,
        "recursive_triggers": 1,
        "synchronous": 1,
        "wal_autocheckpoint": 0,
        "journal_size_limit": 64 << 20,
        "busy_timeout": 5000,
        "temp_store": 2,  # in memory: no call ends because a folder for temporary files is full
    }
    found = {name: sql_store._db.execute(f"PRAGMA {name}").fetchone()[0] for name in settings}
    assert found == settings


def test_an_empty_file_becomes_a_private_store(tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    path.touch(0o644)
    new_store(path).close()
    assert path.stat().st_mode & 0o777 == 0o600
    assert info(str(path)).page_size == 4096


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///calls.db", "calls.db"),
        ("sqlite:////tmp/a b.db", "/tmp/a b.db"),
        ("sub/calls.db", "sub/calls.db"),
    ],
)
def test_urls(url: str, path: str) -> None:
    assert sqlite_path(url) == Path(path)


@pytest.mark.parametrize("url", ["mysql://host/x", "sqlite://", "sqlite:///:memory:"])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(StoreError, match="a store is sqlite:///PATH, a path, or postgresql"):
        open_store(url, create=True)


def test_odd_names_of_files(tmp_path: Path) -> None:
    path = tmp_path / "what? 100% #1 é.db"
    store = new_store(path)
    store.commit(begin())
    store.close()
    reader = open_store(f"sqlite:///{path}", create=False, readonly=True)
    assert reader.sessions() == [label()]
    reader.close()
    assert {file.name.removesuffix("-wal").removesuffix("-shm") for file in tmp_path.iterdir()} == {
        path.name
    }


def test_closing_folds_the_wal_into_the_file(path: Path) -> None:
    store = open_store(str(path), create=False)
    store.commit(begin())
    assert wal_bytes(path) > 0
    store.close()
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_closed_store_refuses_everything(store: Store) -> None:
    store.commit(begin())
    store.close()
    store.close()
    store.maintain()
    for use in (
        store.sessions,
        lambda: store.commit(Batch()),
        lambda: list(store.events(S)),
        lambda: store.audio(S, 1),
    ):
        with pytest.raises(StoreError, match="the store is closed"):
            use()


def test_closing_beside_a_reader(sql_store: SqlStore) -> None:
    sql_store.commit(begin())
    sql_store.commit(Batch(events=events(1, 600)))
    reader = open_store(str(sql_store.path), create=False, readonly=True)
    rows = reader.events(S)
    next(rows)
    sql_store.commit(Batch(events=[event(601)]))
    sql_store.close()
    assert len(list(rows)) == 599
    assert reader.count(S) == 601
    reader.close()


def test_maintaining_keeps_the_wal_small(
    sql_store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = 1 << 20
    assert sql_store._db
    monkeypatch.setattr(sql, "WAL_LIMIT", limit)
    sql_store._db.execute(f"PRAGMA journal_size_limit = {limit}")
    sql_store.commit(begin())
    start = 0

    def record(pieces: int) -> int:
        nonlocal start
        for _ in range(pieces):
            sql_store.commit(Batch(chunks=[chunk(start, NOISE * 50_000)]))
            start += 100_000
            sql_store.maintain()
        return wal_bytes(sql_store.path)

    assert record(60) < 2 * limit
    assert sql_store.path.stat().st_size > 4_000_000
    reader = sql_store.events(S)
    sql_store.commit(Batch(events=events(1, 600)))
    next(reader)
    assert record(60) > 5_000_000  # a reader in the middle of a snapshot holds the WAL
    reader.close()  # type: ignore[attr-defined]
    assert record(20) < 2 * limit
    assert sql_store.audio(S, 1) == NOISE * 7_000_000


def test_commits_never_checkpoint(sql_store: SqlStore) -> None:
    size = sql_store.path.stat().st_size
    sql_store.commit(begin())
    sql_store.commit(Batch(chunks=[chunk(0, NOISE * 10_000_000)]))
    sql_store.maintain()
    assert sql_store.path.stat().st_size == size
    assert wal_bytes(sql_store.path) > 20_000_000


def test_views(sql_store: SqlStore) -> None:
    wall = 1_770_000_000_007_000_000
    body = json.dumps({"type": "session.created", "session": {"id": "sess_1"}})
    batch = begin()
    batch.sessions = [label(wall_ns=wall, external_id="sess_1", model="m"), label(T)]
    batch.events = [
        event(1, body=body, type="session.created", sender="provider", at_ns=1_500_000),
        event(2, body=None, raw=b"\xff", kind="ws.binary", at_ns=2_250_000_000),
    ]
    sql_store.commit(batch)
    sql_store.commit(
        Batch(sessions=[label(T, ended_ns=3_000_000_000, events=0, digest=b"d", status="complete")])
    )
    db = sqlite3.connect(f"file:{sql_store.path}?mode=ro", uri=True)
    db.row_factory = sqlite3.Row
    first, second = (dict(row) for row in db.execute("SELECT * FROM v_sessions ORDER BY session"))
    assert first == {
        "session": S, "trial": "trial", "provider": "openai", "external_id": "sess_1",
        "model": "m", "parent": None, "origin": "proxy", "status": "recording",
        "started_at": "2026-02-02T02:40:00.007Z", "duration_s": 2.25, "events": 2,
        "session_id": S, "turns": 0, "v2v_p50_ms": None, "tool_calls": 0, "interruptions": 0,
        "errors": 0, "usd": None, "end_reason": None,
    }  # fmt: skip
    assert (second["duration_s"], second["events"]) == (3.0, 0)
    assert [tuple(row) for row in db.execute("SELECT * FROM v_events")] == [
        (S, 1, 1.5, "provider", "ws.text", "session.created", body, S, 1),
        (S, 2, 2250.0, "client", "ws.binary", "a.b", None, S, 1),
    ]
    query = "SELECT json_extract(body, '$.session.id') FROM v_events WHERE json_valid(body)"
    assert [tuple(row) for row in db.execute(query)] == [("sess_1",)]
    db.close()


def test_info(sql_store: SqlStore) -> None:
    batch = begin(segments=2)
    batch.events = events(1, 3)
    batch.chunks = [chunk(0, bytes(500)), chunk(0, bytes(70), 2)]
    sql_store.commit(batch)
    sql_store.commit(Batch(sealed=[raw(bytes(500), tail=b"xy")]))
    found = info(f"sqlite:///{sql_store.path}")
    assert (found.path, found.revision) == (str(sql_store.path), REVISION)
    assert (found.sessions, found.events, found.segments, found.open_segments) == (1, 3, 2, 1)
    assert (found.audio_raw, found.audio_sealed, found.audio_wire) == (70, 502, 502)
    assert found.size == sql_store.path.stat().st_size
    assert found.wal_size == wal_bytes(sql_store.path) > 0
    assert found.page_size * found.pages >= found.size
    with pytest.raises(StoreError, match="no such store"):
        info(str(sql_store.path.with_name("none.db")))


def test_a_copy_of_a_store_in_use(sql_store: SqlStore) -> None:
    batch = begin()
    batch.events, batch.refs, batch.chunks = events(1, 50), [ref(7)], [chunk(0, b"abc")]
    sql_store.commit(batch)
    target = sql_store.path.with_name("copy.db")
    backup(str(sql_store.path), target)
    sql_store.commit(Batch(events=[event(51)]))
    assert target.stat().st_mode & 0o777 == 0o600
    copy = open_store(str(target), create=False)
    assert copy.count(S) == 50
    copy.commit(Batch(events=[event(51)]))
    assert everything(copy) == everything(sql_store)
    copy.close()
    with pytest.raises(StoreError, match=r"copy\.db: exists"):
        backup(str(sql_store.path), target)
    with pytest.raises(StoreError, match="cannot be created"):
        backup(str(sql_store.path), target / "below")
    assert everything(sql_store)[S]["count"] == 51


def test_a_damaged_page_is_one_line(path: Path) -> None:
    store = open_store(str(path), create=False)
    store.commit(begin())
    store.commit(Batch(events=[event(n, body="x" * 900) for n in range(1, 200)]))
    store.close()
    content = bytearray(path.read_bytes())
    db = sqlite3.connect(path)
    (root,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'event'").fetchone()
    db.close()
    content[(root - 1) * 4096 : root * 4096] = b"\xab" * 4096
    path.write_bytes(content)
    reader = open_store(str(path), create=False, readonly=True)
    with pytest.raises(StoreError, match=r"damaged: restore a copy .*") as caught:
        list(reader.events(S))
    assert "\n" not in str(caught.value)
    reader.close()


def test_nothing_heavy_is_loaded_before_it_is_needed(path: Path) -> None:
    code = (
        "import sys; from recorder.store import open_store\n"
        "store = open_store(sys.argv[1], create=True)\n"
        "store.sessions(), store.models('turn'), store.put_setting('name', b''), store.close()\n"
        "heavy = ('alembic', 'sqlalchemy', 'numpy', 'soundfile')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
