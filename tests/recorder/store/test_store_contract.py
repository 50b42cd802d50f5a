"""One test for each number of docs/store.md: 1 to 12 on every store, 13 to 18 on a file."""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from store_samples import (
    S,
    T,
    begin,
    chunk,
    event,
    events,
    everything,
    label,
    new_store,
    raw,
    ref,
    segment,
)

from recorder.audio.files import encode_flac
from recorder.errors import StoreError
from recorder.store import files, open_store
from recorder.store.base import AudioRef, Batch, ChannelRow, RunRow, Store
from recorder.store.files import upgrade
from recorder.store.opening import REVISION
from recorder.store.sql import SqlStore

SAMPLES = Path(__file__).parent
DOCS = Path(__file__).parents[3] / "docs" / "store.md"


def refused(store: Store, batch: Batch) -> None:
    """Committing `batch` fails and changes nothing."""
    before = everything(store)
    with pytest.raises(StoreError, match=r"^[^\n]+$"):
        store.commit(batch)
    assert everything(store) == before


def test_every_number_has_its_test() -> None:
    promised = re.findall(r"^(\d+)\. \*\*", DOCS.read_text(), re.MULTILINE)
    tested = [name[5:7] for name in globals() if re.match(r"test_\d\d_", name)]
    assert [int(number) for number in promised] == list(range(1, 19))
    assert sorted(int(number) for number in tested) == list(range(1, 19))


def test_01_one_place_for_each_event(store: Store) -> None:
    store.commit(begin())
    store.commit(Batch(events=events(1, 3)))
    refused(store, Batch(events=[event(3)]))
    refused(store, Batch(events=[event(2, body="other")]))
    refused(store, Batch(events=[event(4), event(4)]))


def test_02_no_gap(store: Store) -> None:
    store.commit(begin())
    refused(store, Batch(events=[event(2)]))
    refused(store, Batch(events=[event(0)]))
    refused(store, Batch(events=[event(-1)]))
    store.commit(Batch(events=events(1, 2)))
    refused(store, Batch(events=[event(4)]))
    refused(store, Batch(events=[event(3), event(5)]))
    refused(store, Batch(events=[event(4), event(3)]))
    store.commit(Batch(events=events(3, 4)))
    assert [row.seq for row in store.events(S)] == [1, 2, 3, 4]
    assert store.count(S) == 4


def test_03_whole_batches(store: Store) -> None:
    store.commit(begin())
    batch = begin(T)
    batch.events = [*events(1, 2, T), *events(1, 2), event(4)]
    batch.chunks = [chunk(0, b"abc", session=T)]
    refused(store, batch)
    assert store.session(T) is None
    batch.events.pop()
    store.commit(batch)
    assert (store.count(S), store.count(T)) == (2, 2)
    assert store.audio(T, 1) == b"abc"


def test_04_what_was_put_in_comes_out(store: Store) -> None:
    texts = ['{"a":"é\U0001f600"}', "", "nul \x00 inside", "line\nline", " {}", "'; DROP--"]
    rows = [event(seq, body=text, at_ns=2**62 + seq) for seq, text in enumerate(texts, 1)]
    rows.append(event(len(rows) + 1, body=None, raw=bytes(range(256)), kind="ws.binary"))
    rows.append(event(len(rows) + 1, body=None, raw=b"", sender="recorder", type="ü", digest=b""))
    whole = label(T, external_id="x", model="m", parent=S, origin="import", wall_ns=2**62)
    batch = begin(T, segments=2)
    batch.sessions = [whole, label()]
    batch.channels += [ChannelRow(S, 2, "http", "/b"), ChannelRow(S, 1, "webhook", "/a")]
    batch.segments += [segment(2), segment(1)]
    batch.events = rows
    batch.refs = [
        AudioRef(S, 2, 1, 9, "raw", 2, 2**40, 7),
        AudioRef(S, 2, 0, 0, "base64", 1, 0, 1),
        AudioRef(S, 1, 5, 0, "base64", 1, 0, 1),
    ]
    store.commit(batch)
    assert store.sessions() == [label(), whole]
    assert store.session(T) == whole
    assert [row.channel for row in store.channels(S)] == [1, 2]
    assert [row.number for row in store.segments(S)] == [1, 2]
    assert list(store.events(S)) == rows
    assert list(store.events(S, after=6)) == rows[6:]
    assert list(store.refs(S)) == [batch.refs[2], batch.refs[1], batch.refs[0]]
    assert list(store.refs(S, after=1)) == [batch.refs[1], batch.refs[0]]
    assert (store.count("none"), list(store.events("none")), store.channels("none")) == (0, [], [])


def test_05_append_only(store: Store) -> None:
    store.commit(begin())
    store.commit(Batch(events=events(1, 2), refs=[ref(1), ref(1, 1)]))
    refused(store, Batch(refs=[ref(2)]))
    refused(store, Batch(events=[event(3)], refs=[ref(3), ref(2)]))
    refused(store, Batch(events=[event(3)], refs=[ref(3), ref(3)]))
    refused(store, Batch(channels=[ChannelRow(S, 1, "ws", "/other")]))
    refused(store, Batch(segments=[segment()]))
    if isinstance(store, SqlStore):
        _append_only_in_sql(store.path)


def _append_only_in_sql(path: Path) -> None:
    """Statements that bypass the store are stopped by the file's own triggers."""
    db = sqlite3.connect(path)
    db.execute("PRAGMA recursive_triggers = ON")
    for view in ("event", "event_audio", "channel", "audio", "audio_chunk"):
        with pytest.raises(sqlite3.OperationalError, match="it is a view"):
            db.execute(f"DELETE FROM {view}")
    for statement in (
        "UPDATE tape_event SET body = 'x'",
        "UPDATE tape_event SET digest = digest",
        "DELETE FROM tape_event",
        "INSERT OR REPLACE INTO tape_event (session, seq, at_ns, channel, form, body, digest)"
        " SELECT session, seq, at_ns, channel, form, 'x', digest FROM tape_event",
        "UPDATE tape_form SET type = 'x'",
        "DELETE FROM tape_form",
        "INSERT OR REPLACE INTO tape_form SELECT * FROM tape_form",
        "UPDATE tape_event_audio SET start = 1",
        "DELETE FROM tape_event_audio",
        "INSERT OR REPLACE INTO tape_event_audio SELECT * FROM tape_event_audio",
        "UPDATE tape_channel SET target = 'x'",
        "DELETE FROM tape_channel",
        "DELETE FROM session",
        "INSERT OR REPLACE INTO session SELECT * FROM session",
        "UPDATE session SET wall_ns = 0",
        "UPDATE session SET number = 9",
        "UPDATE tape_audio SET codec = 'pcma'",
        "DELETE FROM tape_audio",
        "INSERT OR REPLACE INTO tape_audio SELECT * FROM tape_audio",
    ):
        with pytest.raises(sqlite3.IntegrityError):
            db.execute(statement)
    db.close()


def test_06_nothing_dangles(store: Store) -> None:
    store.commit(begin())
    refused(store, Batch(channels=[ChannelRow(T, 1, "ws", "/")]))
    refused(store, Batch(events=[event(1, T)]))
    refused(store, Batch(events=[event(1, channel=2)]))
    refused(store, Batch(segments=[segment(2)._replace(channel=2)]))
    refused(store, Batch(events=[event(1)], refs=[ref(1, segment=2)]))
    refused(store, Batch(events=[event(1)], refs=[ref(2)]))
    refused(store, Batch(refs=[ref(1, session=T)]))
    refused(store, Batch(chunks=[chunk(0, b"a", number=2)]))
    refused(store, Batch(sealed=[raw(b"a", number=2)]))
    refused(store, Batch(sealed=[raw(b"a", session=T)]))
    refused(store, Batch(events=[event(1, body=None)]))
    refused(store, Batch(events=[event(1, raw=b"both")]))


def test_07_a_session_is_replaced(store: Store) -> None:
    store.commit(begin())
    named = label(model="m", external_id="x")
    store.commit(Batch(sessions=[named], events=[event(1)]))
    store.commit(Batch(sessions=[named]))
    assert store.sessions() == [named]
    for fact in ({"provider": "vapi"}, {"wall_ns": 2}, {"scheme": "x"}, {"parent": T}):
        refused(store, Batch(sessions=[named._replace(**fact)]))
    ended = named._replace(status="complete", ended_ns=2000, events=2, digest=b"digest")
    store.commit(Batch(sessions=[ended], events=[event(2)]))
    store.commit(Batch(sessions=[ended]))
    refused(store, Batch(sessions=[ended._replace(model="other")]))
    refused(store, Batch(sessions=[ended._replace(events=3)]))
    refused(store, Batch(events=[event(3)]))
    again = named._replace(run="later")
    store.commit(Batch(sessions=[again, ended._replace(events=3)], events=[event(3)]))
    assert store.session(S) == ended._replace(events=3)


def test_08_a_segment_has_no_gap(store: Store) -> None:
    store.commit(begin(segments=2))
    assert store.audio(S, 1) == b""
    store.commit(Batch(chunks=[chunk(0, b"ab"), chunk(2, b"c"), chunk(0, b"other", 2)]))
    refused(store, Batch(chunks=[chunk(4, b"x")]))
    refused(store, Batch(chunks=[chunk(2, b"x")]))
    refused(store, Batch(chunks=[chunk(3, b"x"), chunk(5, b"x")]))
    store.commit(Batch(chunks=[chunk(3, b""), chunk(3, b""), chunk(3, b"de")]))
    assert (store.audio(S, 1), store.audio(S, 2)) == (b"abcde", b"other")
    with pytest.raises(StoreError, match="no audio segment 3"):
        store.audio(S, 3)
    with pytest.raises(StoreError, match="no audio segment 1"):
        store.sealed(T, 1)


def test_09_sealing_is_atomic(store: Store) -> None:
    pcm = b"\x01\x00\xff\x7f" * 500
    flac = raw(pcm, 2, tail=b"\x07")._replace(form="flac", data=encode_flac(pcm, 8000))
    store.commit(begin(segments=3))
    store.commit(Batch(chunks=[chunk(0, b"abc"), chunk(0, pcm + b"\x07", 2)]))
    assert store.sealed(S, 1) is None
    once = raw(b"straight in", 3)
    store.commit(Batch(sealed=[raw(b"ab", tail=b"c"), flac, once]))
    assert store.sealed(S, 1) == raw(b"ab", tail=b"c")
    assert store.sealed(S, 2) == flac
    assert [store.audio(S, n) for n in (1, 2, 3)] == [b"abc", pcm + b"\x07", b"straight in"]
    refused(store, Batch(sealed=[raw(b"abc")]))
    refused(store, Batch(chunks=[chunk(3, b"x")]))
    store.commit(Batch(segments=[segment(4)]))
    refused(store, Batch(sealed=[raw(b"x", 4), raw(b"x", 4)]))
    store.commit(Batch(chunks=[chunk(0, b"x", 4)], sealed=[raw(b"xy", 4)]))
    assert store.audio(S, 4) == b"xy"
    if isinstance(store, SqlStore):
        _sealed_in_sql(store.path)


def _sealed_in_sql(path: Path) -> None:
    db = sqlite3.connect(path)
    assert db.execute("SELECT count(*) FROM audio_chunk").fetchone() == (0,)
    db.execute(
        "INSERT INTO tape_audio (session, number, channel, sender, stream, codec, rate,"
        " channels, at_ns) SELECT number, 9, 1, '', '', '', 1, 1, 0 FROM session"
    )
    db.execute("INSERT INTO tape_audio_chunk SELECT number, 9, 0, 1, x'00' FROM session")
    for statement in (
        "UPDATE tape_audio SET data = x'' WHERE number = 1",
        "UPDATE tape_audio SET form = NULL, size = NULL, frames = NULL, sha256 = NULL,"
        " data = NULL, tail = NULL WHERE number = 1",
        "UPDATE tape_audio SET form = 'raw' WHERE number = 9",
        "UPDATE tape_audio_chunk SET data = x''",
        "DELETE FROM tape_audio_chunk",
    ):
        with pytest.raises(sqlite3.IntegrityError):
            db.execute(statement)
    db.close()


def test_10_a_reader_sees_one_moment(store: Store) -> None:
    store.commit(begin())
    store.commit(Batch(events=events(1, 600), refs=[ref(n) for n in range(1, 601)]))
    rows, refs = store.events(S), store.refs(S, after=300)
    assert (next(rows).seq, next(refs).seq) == (1, 301)
    store.commit(Batch(events=events(601, 900), refs=[ref(n) for n in range(601, 901)]))
    assert [row.seq for row in rows] == list(range(2, 601))
    assert [row.seq for row in refs] == list(range(302, 601))
    assert store.count(S) == len(list(store.events(S))) == 900
    for _ in range(30):
        next(store.events(S))


def test_11_any_thread(store: Store) -> None:
    store.commit(begin(segments=4))
    failures: list[BaseException] = []
    done = threading.Event()

    def write(session: str) -> None:
        for seq in range(1, 101):
            store.commit(Batch(events=[event(seq, session)], refs=[ref(seq, session=session)]))

    def read() -> None:
        while not done.is_set():
            seqs = [row.seq for row in store.events(S)]
            assert seqs == list(range(1, len(seqs) + 1))
            assert store.count(S) >= len(seqs)

    store.commit(begin(T))
    jobs: list[Callable[[], None]] = [lambda: write(S), lambda: write(T), read, read]
    with _threads(jobs, failures) as threads:
        for thread in threads[:2]:
            thread.join(30)
        done.set()
    assert not failures
    assert (store.count(S), store.count(T)) == (100, 100)


@contextmanager
def _threads(
    jobs: list[Callable[[], None]], failures: list[BaseException]
) -> Iterator[list[threading.Thread]]:
    def guarded(job: Callable[[], None]) -> None:
        try:
            job()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    yield threads
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


def test_12_settings_and_runs(store: Store) -> None:
    assert store.setting("key") is None
    store.put_setting("key", b"one\x00")
    store.put_setting("key", b"two")
    store.put_setting("other", b"")
    assert (store.setting("key"), store.setting("other")) == (b"one\x00", b"")
    first = RunRow("r1", "host", 1, 10, 10)
    store.put_run(RunRow("r2", "host", 2, 10, 10))
    store.put_run(first)
    store.put_run(first._replace(beat_ns=20, ended_ns=30))
    assert store.runs() == [RunRow("r1", "host", 1, 10, 20, 30), RunRow("r2", "host", 2, 10, 10)]


WRITER = """
    import sys
    sys.path.insert(0, sys.argv[2])
    from store_samples import T, begin, chunk, event, ref
    from recorder.store import open_store
    from recorder.store.base import Batch

    store = open_store(sys.argv[1], create=False)
    store.commit(begin(T))
    for n in range(1, int(sys.argv[3]) + 1):
        store.commit(Batch(events=[event(2 * n - 1, T), event(2 * n, T)], refs=[ref(2 * n, 0, T)],
                           chunks=[chunk(4 * n - 4, b"abcd", session=T)]))
        print(n, flush=True)
"""


@contextmanager
def _writer(path: Path, commits: int) -> Iterator[subprocess.Popen[str]]:
    """Another process that commits two events and four bytes at a time, telling when it has."""
    arguments: list[str | Path] = [
        sys.executable,
        "-c",
        dedent(WRITER),
        path,
        SAMPLES,
        str(commits),
    ]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        yield process


def test_13_other_processes(sql_store: SqlStore) -> None:
    sql_store.commit(begin())
    with _writer(sql_store.path, 200) as process:
        assert process.stdout
        for n in range(1, 201):
            assert process.stdout.readline() == f"{n}\n"
            seqs = [row.seq for row in sql_store.events(T)]
            assert seqs == list(range(1, len(seqs) + 1))
            assert len(seqs) >= 2 * n
            assert len(seqs) % 2 == 0
            sql_store.commit(Batch(events=[event(n)]))
        assert process.wait(30) == 0
    assert (sql_store.count(S), sql_store.count(T)) == (200, 400)


def test_14_a_killed_process_loses_nothing(path: Path) -> None:
    with _writer(path, 100_000) as process:
        assert process.stdout
        for _ in range(50):
            told = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        told = max([told, *(int(line) for line in process.stdout if line.endswith("\n"))])
    store = open_store(str(path), create=False)
    found = store.count(T)
    assert found in (2 * told, 2 * told + 2)
    assert [row.seq for row in store.events(T)] == list(range(1, found + 1))
    assert [row.seq for row in store.refs(T)] == list(range(2, found + 1, 2))
    assert store.audio(T, 1) == b"abcd" * (found // 2)
    assert _sound(path)
    store.commit(Batch(events=[event(found + 1, T)]))
    store.close()


def _sound(path: Path) -> bool:
    db = sqlite3.connect(path)
    try:
        checks = [db.execute(f"PRAGMA {name}").fetchall() for name in _CHECKS]
    finally:
        db.close()
    return checks == [[("ok",)], []]


_CHECKS = ("integrity_check", "foreign_key_check")


def _full(store: SqlStore) -> Callable[[], object]:
    """SQLite's own limit gives the same error as a disk without room."""
    db = store._db
    assert db
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    db.execute(f"PRAGMA max_page_count = {pages + 3}")
    return lambda: db.execute("PRAGMA max_page_count = 1000000")


def _quota(store: SqlStore) -> Callable[[], object]:
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    limit = os.stat(f"{store.path}-wal").st_size + 30_000
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, old[1]))
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, old)


def _locked(store: SqlStore) -> Callable[[], object]:
    assert store._db
    store._db.execute("PRAGMA busy_timeout = 20")
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return other.close


@pytest.mark.parametrize(
    ("fail", "says"),
    [
        (_full, "the disk is full: free some space"),
        (_quota, "no quota is used up"),
        (_locked, "locked by another program"),
    ],
)
def test_15_a_failure_is_one_line_and_passes(
    sql_store: SqlStore, fail: Callable[[SqlStore], Callable[[], object]], says: str
) -> None:
    sql_store.commit(begin())
    sql_store.commit(Batch(events=[event(1)]))
    batch = Batch(events=events(2, 4), chunks=[chunk(0, os.urandom(400_000))])
    mend = fail(sql_store)
    try:
        with pytest.raises(StoreError) as caught:
            sql_store.commit(batch)
        assert [row.seq for row in sql_store.events(S)] == [1]
    finally:
        mend()
    assert str(sql_store.path) in str(caught.value)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    sql_store.commit(batch)
    assert sql_store.count(S) == 4
    assert len(sql_store.audio(S, 1)) == 400_000
    assert _sound(sql_store.path)


def _text(path: Path) -> None:
    path.write_bytes(b"not a database, but a text of some length. " * 100)


def _foreign(path: Path) -> None:
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE customer (name)")
    db.close()


def _revision(number: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        new_store(path).close()
        db = sqlite3.connect(path)
        with db:
            db.execute("UPDATE alembic_version SET version_num = ?", (number,))
        db.close()

    return make


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: None, "no such store: `record proxy --store .*` makes one"),
        (Path.mkdir, "a folder: name a file"),
        (Path.touch, "an empty file, no store"),
        (_text, "not an SQLite database: name another file"),
        (_foreign, "a database of another program"),
        (_revision("9999"), "newer than this program"),
    ],
)
@pytest.mark.parametrize("readonly", [False, True])
def test_16_only_a_store_is_opened(
    tmp_path: Path, make: Callable[[Path], None], says: str, readonly: bool
) -> None:
    path = tmp_path / "it.db"
    make(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(StoreError, match=says) as caught:
        open_store(f"sqlite:///{path}", create=False, readonly=readonly)
    assert "\n" not in str(caught.value)
    assert (path.read_bytes() if path.is_file() else None) == before


@contextmanager
def _unprivileged(folder: Path) -> Iterator[None]:
    """As a user who may not write here: root may write everywhere."""
    for path in (folder, *folder.iterdir()):
        path.chmod(0o555 if path.is_dir() else 0o444)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(0o755)


def test_17_private_and_read_only(empty_file: Path) -> None:
    folder = Path(tempfile.mkdtemp())
    path = folder / "calls.db"
    try:
        store = new_store(path)
        store.commit(begin())
        assert {file.name for file in folder.iterdir()} == {path.name + end for end in _FILES}
        assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}
        store.close()
        before = path.read_bytes()
        with _unprivileged(folder):
            _read_only(path)
            with pytest.raises(StoreError, match="read-only: make the file and its folder"):
                open_store(str(path), create=True)
            with pytest.raises(StoreError, match=r"new.db cannot be created"):
                open_store(str(folder / "new.db"), create=True)
        path.chmod(0o600)
        _read_only(path)
        assert path.read_bytes() == before
    finally:
        shutil.rmtree(folder)


_FILES = ("", "-wal", "-shm")


def _read_only(path: Path) -> None:
    reader = open_store(str(path), create=False, readonly=True)
    assert reader.sessions() == [label()]
    writes: list[Callable[[], Any]] = [
        lambda: reader.commit(Batch()),
        lambda: reader.put_setting("a", b""),
        lambda: reader.put_run(RunRow("r", "h", 1, 1, 1)),
    ]
    for write in writes:
        with pytest.raises(StoreError, match="opened for reading only"):
            write()
    reader.maintain()
    reader.close()


def test_18_an_upgrade_keeps_a_copy(path: Path, next_revision: Path) -> None:
    db = sqlite3.connect(path)
    before = list(db.iterdump())
    db.close()
    with pytest.raises(
        StoreError, match=rf"older schema {REVISION}, .* `record db upgrade --store"
    ):
        open_store(str(path), create=True)
    good = next_revision.read_text()
    next_revision.write_text(good + "    op.execute('INSERT INTO nowhere VALUES (1)')\n")
    with pytest.raises(StoreError, match="no such table: nowhere"):
        upgrade(str(path))
    db = sqlite3.connect(path)
    assert list(db.iterdump()) == before
    db.close()
    next_revision.write_text(good)
    copies = [path.with_name(f"calls.{REVISION}{end}.db") for end in ("", "-2")]
    further = files.REVISION
    assert upgrade(f"sqlite:///{path}") == (REVISION, further, copies[1])
    assert upgrade(str(path)) == (further, further, None)
    store = open_store(str(path), create=False)
    store.commit(begin())
    store.close()
    for copy in copies:
        db = sqlite3.connect(copy)
        assert list(db.iterdump()) == before
        db.close()
        assert copy.stat().st_mode & 0o777 == 0o600
