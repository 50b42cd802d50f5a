"""The connections that read a file."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from recorder.store.sqlite import Readers


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "numbers.db"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE number (n)")
    db.close()
    return path


def test_a_connection_is_used_again_and_never_by_two_at_once(file: Path) -> None:
    readers = Readers(file, "ro")
    with readers.reading() as one, readers.reading() as other:
        assert one is not other
    with readers.reading() as again:
        assert again in (one, other)
    readers.close()


def test_what_is_read_stands_at_one_moment(file: Path) -> None:
    readers, writer = Readers(file, "ro"), sqlite3.connect(file, isolation_level=None)
    count = "SELECT count(*) FROM number"
    with readers.reading() as db:
        assert db.execute(count).fetchone() == (0,)
        writer.execute("INSERT INTO number VALUES (1)")
        assert db.execute(count).fetchone() == (0,)
    with readers.reading() as db:
        assert db.execute(count).fetchone() == (1,)
    readers.close()
    writer.close()


def test_a_reader_that_fails_gives_its_connection_back(file: Path) -> None:
    readers = Readers(file, "ro")
    with pytest.raises(sqlite3.OperationalError), readers.reading() as failed:
        failed.execute("SELECT m FROM number")
    with readers.reading() as db:
        assert db is failed
        assert db.execute("SELECT n FROM number").fetchall() == []
    readers.close()


def test_closing_waits_for_no_reader_and_closes_what_comes_back(file: Path) -> None:
    readers = Readers(file, "ro")
    with readers.reading() as idle:
        pass
    with readers.reading(), readers.reading() as other:
        pass
    with readers.reading() as busy:
        readers.close()
        assert busy.execute("SELECT n FROM number").fetchall() == []
    for db in (idle, busy, other):
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            db.execute("SELECT 1")
