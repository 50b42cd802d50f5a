"""Stores for tests. The schema of an SQLite store is made once and copied."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from recorder.store import files, migrate, open_store
from recorder.store.base import Store
from recorder.store.schema import REVISION
from recorder.store.sql import SqlStore


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store without a session; to be copied, not opened."""
    path = tmp_path_factory.mktemp("store") / "empty.db"
    open_store(str(path), create=True).close()
    return path


@pytest.fixture
def path(tmp_path: Path, empty_file: Path) -> Path:
    """A store's file without a session."""
    return Path(shutil.copy(empty_file, tmp_path / "calls.db"))


@pytest.fixture
def sql_store(path: Path) -> Iterator[SqlStore]:
    store = open_store(str(path), create=False)
    assert isinstance(store, SqlStore)
    yield store
    store.close()


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """Each kind of store, in turn."""
    if request.param == "memory":
        yield open_store("memory:", create=True)
    else:
        yield request.getfixturevalue("sql_store")


FURTHER = f"{int(REVISION) + 1:04}"
NEXT = f"""
import sqlalchemy as sa
from alembic import op

revision = "{FURTHER}"
down_revision = "{REVISION}"


def upgrade() -> None:
    op.create_table("later", sa.Column("id", sa.Text))
    op.add_column("session", sa.Column("mood", sa.Text))
"""


@pytest.fixture
def next_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program one revision further; the file of that revision. `%` in a path is no trouble."""
    scripts = tmp_path / "50% further"
    shutil.copytree(migrate.script_location(), scripts)
    monkeypatch.setattr(migrate, "script_location", lambda: scripts)
    monkeypatch.setattr(files, "REVISION", FURTHER)
    script = scripts / "versions" / f"{FURTHER}_next.py"
    script.write_text(NEXT)
    return script
