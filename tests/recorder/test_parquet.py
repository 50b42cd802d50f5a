"""Parquet: what is written is what is in the store, as another program reads it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from commandline import out, run
from library import fill
from postgres import new_database, server
from tapes import conversation, record

from recorder import derive
from recorder.errors import RecorderError, StoreError
from recorder.parquet import _relations, export_parquet
from recorder.store import open_store
from recorder.store.query import asking
from recorder.store.view_about import VIEW_ABOUT

duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")

SUMS = (
    "SELECT count(*), sum(value_ms), min(value_ms), max(last_seq) FROM {v_latency}",
    "SELECT count(*), count(usd), sum(usd), sum(quantity) FROM {v_cost}",
    "SELECT provider, sum(usd), sum(turns), sum(events) FROM {v_sessions} GROUP BY 1 ORDER BY 1",
    "SELECT sum(v2v_ms), sum(length(user_text)), sum(length(agent_text)) FROM {v_turns}",
    "SELECT count(*), sum(seq), sum(at_ns), sum(length(body)) FROM {event}",
    "SELECT sum(size), sum(frames), min(sha256), max(data) FROM {audio}",
    "SELECT count(*), sum(exec_ms), sum(failed) FROM {v_tools}",
    "SELECT metric, sum(value), count(turn) FROM {metric} GROUP BY 1 ORDER BY 1",
    "SELECT count(*), min(session_id), max(text) FROM {v_transcripts}",
)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("parquet") / "library.db"
    with closing(open_store(str(path), create=True)) as store:
        fill(store)
    return path


@pytest.fixture(scope="module")
def folder(path: Path) -> Path:
    told = out(path, "export", "--parquet", str(path.parent / "out"))
    assert told.startswith(f"wrote {len(_relations())} files to ")
    return path.parent / "out"


def in_duckdb(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    names = {name: f"'{folder}/{name}.parquet'" for name in _relations()}
    rows: list[tuple[Any, ...]] = duckdb.sql(sql.format(**names)).fetchall()
    return rows


def in_store(url: str, sql: str) -> list[tuple[Any, ...]]:
    with asking(url, sql.format(**{name: name for name in _relations()})) as (_, rows):
        return list(rows)


def same(these: list[tuple[Any, ...]], those: list[tuple[Any, ...]]) -> bool:
    numbers = (int, float)
    return len(these) == len(those) and all(
        one == pytest.approx(other, rel=1e-12) if isinstance(one, numbers) else one == other
        for this, that in zip(these, those, strict=True)
        for one, other in zip(this, that, strict=True)
    )


@pytest.mark.parametrize("sql", SUMS)
def test_duckdb_gives_the_same_sums(path: Path, folder: Path, sql: str) -> None:
    expected = in_store(str(path), sql)
    assert any(value for row in expected for value in row)
    assert same(in_duckdb(folder, sql), expected)


def test_every_table_and_view_is_there_whole(path: Path, folder: Path) -> None:
    assert {file.stem for file in folder.iterdir()} == set(_relations())
    assert set(VIEW_ABOUT) < set(_relations())
    assert "setting" not in _relations()  # the key of the secret markers stays in the store
    for name in _relations():
        question = f"SELECT count(*) FROM {{{name}}}"
        assert in_duckdb(folder, question) == in_store(str(path), question)


def test_an_empty_store_gives_empty_files_of_the_same_types(tmp_path: Path, folder: Path) -> None:
    open_store(str(tmp_path / "empty.db"), create=True).close()
    export_parquet(str(tmp_path / "empty.db"), tmp_path / "out")
    for name in _relations():
        described = f"DESCRIBE SELECT * FROM {{{name}}}"
        assert in_duckdb(tmp_path / "out", described) == in_duckdb(folder, described)


def test_files_are_replaced_and_nothing_else_is_touched(path: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "event.parquet").write_text("old")
    export_parquet(str(path), tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "mine"
    assert not list(tmp_path.glob("*.part"))
    assert in_duckdb(tmp_path, "SELECT count(*) FROM {event}")[0][0] > 0


def test_large_tables_come_in_groups(path: Path, tmp_path: Path, folder: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("recorder.parquet._ROWS", 7)
        export_parquet(str(path), tmp_path)
    question = "SELECT * FROM {event} ORDER BY session, seq"
    assert in_duckdb(tmp_path, question) == in_duckdb(folder, question)
    groups = "SELECT max(row_group_id) FROM parquet_metadata({event})"
    assert in_duckdb(tmp_path, groups)[0][0] > 50


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with server(tmp_path_factory.mktemp("pg")) as started:
        yield started


def test_from_a_server_it_is_the_same(tmp_path: Path, running: Any) -> None:
    url = new_database(running)
    with closing(open_store(url, create=True)) as store:
        record(store, conversation())
        derive.refresh(store)
    export_parquet(url, tmp_path)
    for sql in SUMS[:4]:
        expected = [
            tuple(float(v) if v is not None and not isinstance(v, str) else v for v in row)
            for row in in_store(url, sql)
        ]
        assert same(in_duckdb(tmp_path, sql), expected)


def test_bad_input_is_one_line(path: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    assert run(path, "export", "--parquet", str(file)).code == 2
    assert run(path, "export", "--parquet", str(file / "in")).code == 2
    assert run(path, "export", "last", "--parquet", str(tmp_path)).code == 2
    assert run(path, "export", "last").code == 2
    with pytest.raises(RecorderError, match="cannot write"):
        export_parquet(str(path), file / "in")


def test_a_view_that_is_not_there_is_one_line(path: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.db"
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(damaged)) as copy:
        source.backup(copy)
        copy.execute("DROP VIEW v_turns")
    with pytest.raises(StoreError, match=r"damaged\.db: .*v_turns"):
        export_parquet(str(damaged), tmp_path / "out")


def test_without_pyarrow_the_error_says_what_to_install(path: Path, tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from pathlib import Path\n"
        "from recorder.parquet import export_parquet\n"
        "export_parquet(sys.argv[1], Path(sys.argv[2]))"
    )
    program = [sys.executable, "-c", code, str(path), str(tmp_path)]
    ended = subprocess.run(program, capture_output=True, text=True)
    assert "pip install 'conversation-recorder[parquet]'" in ended.stderr.splitlines()[-1]
