"""Stores for tests. The schema of an SQLite store is made once and copied."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from postgres import new_database, server
from sqlalchemy import make_url

from recorder.store import files, migrate, open_store
from recorder.store.base import Store
from recorder.store.opening import REVISION
from recorder.store.sql import SqlStore


@pytest.fixture(scope="session")
def made() -> ModuleType:
    """The script that made the files of older revisions, `fixtures/databases`."""
    script = Path(__file__).parents[3] / "fixtures" / "make_databases.py"
    spec = importlib.util.spec_from_file_location(script.stem, script)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with server(tmp_path_factory.mktemp("pg")) as running:
        yield running


@pytest.fixture(scope="session")
def empty_database(postgres_server: Any) -> str:
    """The name of a database with a store without a session; to be copied, not opened."""
    url = new_database(postgres_server)
    open_store(url, create=True).close()
    return make_url(url).database or ""


@pytest.fixture
def postgres_url(postgres_server: Any, empty_database: str) -> str:
    """A store on a server without a session."""
    return new_database(postgres_server, empty_database)


@pytest.fixture
def postgres_store(postgres_url: str) -> Iterator[Store]:
    with closing(open_store(postgres_url, create=False)) as store:
        yield store


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """Each kind of store, in turn."""
    if request.param == "memory":
        yield open_store("memory:", create=True)
    else:
        kind = {"sqlite": "sql_store", "postgresql": "postgres_store"}[request.param]
        yield request.getfixturevalue(kind)


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
