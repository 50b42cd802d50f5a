"""Old files are upgraded whole, and the migrations make what `schema.py` says."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, inspect
from store_samples import everything

from recorder.errors import StoreError
from recorder.store import models, open_store, search
from recorder.store.engine import open_engine
from recorder.store.files import info, upgrade
from recorder.store.migrate import config, revisions, script_location
from recorder.store.opening import REVISION
from recorder.store.schema import metadata
from recorder.store.tape_views import TAPE_VIEWS
from recorder.store.views import VIEWS

FIXTURES = Path(__file__).parents[3] / "fixtures"
OLD = sorted((FIXTURES / "databases").glob("*.db"))


def objects(path: Path) -> dict[tuple[str, str], str]:
    """The SQL of all tables, indexes, triggers and views."""
    db = sqlite3.connect(path)
    rows = db.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
    db.close()
    return {(kind, name): " ".join((sql or "").split()) for kind, name, sql in rows}


def test_the_newest_revision_is_the_programs() -> None:
    assert revisions()[-1] == REVISION
    assert [path.stem for path in OLD] == revisions()


def test_migrations_make_what_the_schema_says(path: Path) -> None:
    migrated, declared = open_engine(path, "ro"), create_engine("sqlite://")
    with migrated.connect() as found, declared.begin() as wanted:
        options = {"compare_type": True, "include_name": _is_ours}
        context = MigrationContext.configure(found, opts=options)
        assert compare_metadata(context, [metadata, models.metadata]) == []
        metadata.create_all(wanted)
        models.metadata.create_all(wanted)
        assert facts(found) == facts(wanted)
    migrated.dispose()
    declared.dispose()


def _is_ours(name: str | None, kind: str, parents: object) -> bool:
    """Not what FTS5 keeps beside its table."""
    return kind != "table" or not (name or "").startswith(search.NAME)


def facts(connection: Connection) -> dict[str, object]:
    """What Alembic does not compare: keys, checks and how the rows are kept."""
    inspector = inspect(connection)
    listed = connection.exec_driver_sql("PRAGMA table_list").mappings()
    rowid = {row["name"]: not row["wr"] for row in listed}
    return {
        table: (
            rowid[table],
            inspector.get_pk_constraint(table),
            sorted(inspector.get_foreign_keys(table), key=repr),
            sorted(inspector.get_check_constraints(table), key=repr),
        )
        for table in (*metadata.tables, *models.metadata.tables)
    }


@pytest.mark.parametrize("old", OLD, ids=[path.stem for path in OLD])
def test_an_old_file_is_read_after_its_upgrade(
    old: Path, tmp_path: Path, empty_file: Path, made: ModuleType
) -> None:
    path = Path(shutil.copy(old, tmp_path / "old.db"))
    done = upgrade(str(path))
    assert (done.old, done.new, done.backup is None) == (old.stem, REVISION, old.stem == REVISION)
    ours, fresh = objects(path), objects(empty_file)
    assert ours.keys() == fresh.keys()
    for key in fresh:
        if key[0] in ("trigger", "view"):
            assert ours[key] == fresh[key]
    store = open_store(str(path), create=False)
    memory = open_store("memory:", create=True)
    for batch in made.sample():
        memory.commit(batch)
    memory.put_run(made.RUN)
    assert without_blobs(everything(store)) == without_blobs(everything(memory))
    assert store.setting("fixture") == old.stem.encode()
    assert info(str(path)).free_pages == 0
    store.close()


def without_blobs(found: dict[str, Any]) -> dict[str, Any]:
    """FLAC made by another libsndfile differs; the audio in it does not."""
    for name in (name for name in found if name not in ("sessions", "runs")):
        found[name]["segments"] = [
            (row, sealed and sealed._replace(data=b""), audio)
            for row, sealed, audio in found[name]["segments"]
        ]
    return found


def test_views_are_made_anew(path: Path, next_revision: Path) -> None:
    db = sqlite3.connect(path)
    db.execute("DROP VIEW v_events")
    db.execute("CREATE VIEW v_gone AS SELECT body FROM event")
    db.execute("CREATE VIEW mine AS SELECT id FROM session")
    db.close()
    upgrade(str(path))
    views = {name for kind, name in objects(path) if kind == "view"}
    assert views == {*TAPE_VIEWS, *VIEWS, "mine"}


def test_two_programs_may_make_the_file_at_once(tmp_path: Path) -> None:
    code = (
        "import sys; from recorder.store import open_store\n"
        "store = open_store(sys.argv[1], create=True); print(len(store.sessions()))"
    )
    program = [sys.executable, "-c", code, str(tmp_path / "new.db")]
    processes = [
        subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    assert [process.communicate(timeout=30) for process in processes] == [("0\n", "")] * 3


def test_the_scripts_run_only_on_an_open_store() -> None:
    with pytest.raises(StoreError, match="record db upgrade"):
        command.upgrade(config(), "head")


def test_shipped_scripts_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    top = script_location()
    assert (top / "env.py").is_file()
    package = tmp_path / "site" / "recorder"
    package.mkdir(parents=True)
    monkeypatch.setattr("recorder.store.migrate.files", lambda name: tmp_path / "site" / name)
    assert script_location() == tmp_path / "site" / "migrations"
    shutil.copytree(top, package / "migrations")
    assert script_location() == package / "migrations"
    assert revisions()[-1] == REVISION
