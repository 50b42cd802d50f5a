"""What events share is stored once, and comes out whole whoever wrote it."""

from __future__ import annotations

import contextlib
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from store_samples import S, begin, chunk, event, raw, ref

from recorder.errors import StoreError
from recorder.store import forms, open_store
from recorder.store.base import Batch, EventRow, Store
from recorder.store.sql import SqlStore
from recorder.store.statements import SHAPES, Db

SILENT = '{"type":"session.output_audio.delta","delta":""}'


def spoken(first: int, last: int, body: str | None = SILENT) -> Batch:
    """Events with one piece of audio each."""
    rows = [event(seq, body=body) for seq in range(first, last + 1)]
    return Batch(events=rows, refs=[ref(row.seq) for row in rows])


def kept(store: Store, sql: str) -> list[tuple[object, ...]]:
    assert isinstance(store, SqlStore)
    with closing(sqlite3.connect(store.path)) as db:
        return db.execute(sql).fetchall()


@pytest.fixture
def store(sql_store: SqlStore) -> SqlStore:
    sql_store.commit(begin())
    return sql_store


def test_a_body_that_comes_again_is_kept_once(store: SqlStore) -> None:
    batch = spoken(1, 50)
    store.commit(batch)
    assert list(store.events(S)) == batch.events
    assert list(store.refs(S)) == batch.refs
    assert kept(store, "SELECT count(body), sum(length) FROM tape_event") == [(1, 200)]
    assert kept(store, "SELECT count(*) FROM tape_event_audio") == [(0,)]
    assert kept(store, "SELECT form, body FROM tape_form") == [(1, None), (2, SILENT)]


def test_a_body_that_does_not_come_again_stays_with_its_event(store: SqlStore) -> None:
    rows = [event(seq, body=f"delta {seq}") for seq in range(1, 31)]
    store.commit(Batch(events=rows, refs=[ref(row.seq) for row in rows]))
    assert list(store.events(S)) == rows
    assert kept(store, "SELECT count(*) FROM tape_form") == [(1,)]


@pytest.mark.parametrize("kind", ["text", "shared", "spoken", "raw", "mixed"])
@pytest.mark.parametrize("count", [1, 3, 4, 5, 63, 64, 65])
def test_rows_of_each_shape_come_out_whole(store: SqlStore, kind: str, count: int) -> None:
    kinds = ("text", "shared", "spoken", "raw")
    shapes = {
        "text": {},
        "shared": {"body": SILENT},
        "spoken": {},
        "raw": {"body": None, "raw": b"\xff"},
    }
    rows, refs = [], []
    for seq in range(1, count + 1):
        shape = kinds[seq % len(kinds)] if kind == "mixed" else kind
        rows.append(event(seq, **shapes[shape]))
        refs += [] if shape in ("text", "raw") else [ref(seq)]
    store.commit(Batch(events=rows, refs=refs))
    assert list(store.events(S)) == rows
    assert list(store.refs(S)) == refs


def test_shapes_are_told_apart_by_their_columns() -> None:
    assert len({len(shape) for shape in SHAPES}) == len(SHAPES)
    assert all(set(SHAPES[-1]) >= set(shape) for shape in SHAPES)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files are not told here")
def test_nothing_is_written_beside_the_store(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside: list[str] = []
    append = store._appender.append

    def watched(db: Db, batch: Batch) -> None:
        append(db, batch)
        for each in Path("/proc/self/fd").iterdir():
            with contextlib.suppress(OSError):  # the one this very list was read by
                beside.append(str(each.readlink()))

    sessions = [f"session {number}" for number in range(50)]
    for session in sessions:
        store.commit(begin(session))
    for first in (1, 5):  # each adds to many pages that are there
        rows = [
            event(seq, session, body="x" * 1_000)
            for session in sessions
            for seq in range(first, first + 4)
        ]
        monkeypatch.setattr(store._appender, "append", watched)
        store.commit(Batch(events=rows))
    assert str(store.path) in beside
    assert not [name for name in beside if "etilqs" in name]


def test_forms_of_a_commit_that_failed_are_not_used(store: SqlStore) -> None:
    with pytest.raises(StoreError):
        store.commit(Batch(events=[*spoken(1, 9).events, event(11)], refs=spoken(1, 9).refs))
    batch = spoken(1, 9)
    store.commit(batch)
    assert list(store.events(S)) == batch.events


def test_another_program_may_go_on(store: SqlStore) -> None:
    first, second, third = spoken(1, 5), spoken(6, 9), spoken(10, 12)
    second.events = [row._replace(type="other") for row in second.events]
    store.commit(first)
    with closing(open_store(str(store.path), create=False)) as other:
        other.commit(second)
    store.commit(third)
    assert list(store.events(S)) == [*first.events, *second.events, *third.events]
    numbers = kept(store, "SELECT form FROM tape_form ORDER BY form")
    assert numbers == [(n,) for n in range(1, len(numbers) + 1)]


def test_forms_that_are_many_are_forgotten(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forms, "_MOST", 3)
    monkeypatch.setattr(forms, "_MOST_BODIES", 2)
    rows: list[EventRow] = [event(seq, type=f"GET /call/{seq % 7}") for seq in range(1, 30)]
    rows += [event(seq, body=f"{seq // 3}") for seq in range(30, 60)]
    store.commit(Batch(events=rows, refs=[ref(row.seq) for row in rows[29:]]))
    assert list(store.events(S)) == rows
    assert kept(store, "SELECT count(body) FROM tape_form") == [(2,)]


def test_silence_takes_one_byte(store: SqlStore) -> None:
    store.commit(Batch(chunks=[chunk(0, bytes(9600)), chunk(9600, b"\xff" * 160)]))
    assert store.audio(S, 1) == bytes(9600) + b"\xff" * 160
    stored = kept(store, "SELECT start, size, data FROM audio_chunk")
    assert stored == [(0, 9600, b"\0"), (9600, 160, b"\xff")]
    sealed = raw(b"\xff" * 9760)._replace(form="constant", data=b"\xff")
    store.commit(Batch(sealed=[sealed]))
    assert store.audio(S, 1) == b"\xff" * 9760
