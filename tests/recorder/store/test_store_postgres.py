"""What only a server has: its own triggers, its address, and commands that go through it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from commandline import RAW, Ended
from commandline import run as run_file
from library import fill
from postgres import new_database
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import DBAPIError
from store_samples import S, begin, chunk, event, events, everything, label, raw, ref
from tapes import conversation, record

from recorder import derive
from recorder.errors import StoreError
from recorder.store import keeping, migrate, models, open_store, schema, search
from recorder.store.base import Batch, Store
from recorder.store.model_rows import ROWS
from recorder.store.opening import REVISION
from recorder.store.postgres_engine import packed, unpacked
from recorder.store.tape_views import TAPE_VIEWS
from recorder.store.views import VIEWS

FURTHER = f"{int(REVISION) + 1:04}"
FORBIDDEN = (
    "UPDATE tape_event SET body = 'x'",
    "UPDATE tape_event SET digest = digest",
    "DELETE FROM tape_event",
    "TRUNCATE tape_event CASCADE",
    "UPDATE tape_event_audio SET start = 1",
    "DELETE FROM tape_event_audio",
    "TRUNCATE tape_event_audio",
    "UPDATE tape_form SET type = 'x'",
    "DELETE FROM tape_form",
    "UPDATE tape_channel SET target = 'x'",
    "DELETE FROM tape_channel",
    "DELETE FROM session",
    "TRUNCATE session CASCADE",
    "UPDATE session SET wall_ns = 0",
    "UPDATE tape_audio SET codec = 'pcma'",
    "UPDATE tape_audio SET data = '' WHERE number = 1",
    "UPDATE tape_audio SET form = 'raw' WHERE number = 2",
    "DELETE FROM tape_audio",
    "UPDATE tape_audio_chunk SET data = ''",
    "DELETE FROM tape_audio_chunk",
    "DELETE FROM setting",
)


@pytest.fixture
def run(postgres_url: str) -> Any:
    def asked(*words: str) -> Ended:
        return run_file(postgres_url, *words)  # type: ignore[arg-type]

    return asked


@pytest.fixture(scope="module")
def filled(postgres_server: Any) -> Iterator[tuple[str, dict[str, str]]]:
    """A server with the library, and its ids."""
    url = new_database(postgres_server)
    with closing(open_store(url, create=True)) as store:
        yield url, fill(store)


def test_statements_that_bypass_the_store_are_stopped(
    postgres_store: Store, postgres_url: str
) -> None:
    batch = begin(segments=2)
    batch.events, batch.refs = events(1, 2), [ref(1), ref(1, 1)]
    batch.chunks = [chunk(0, b"abc"), chunk(0, b"x", 2)]
    postgres_store.commit(batch)
    postgres_store.commit(Batch(sealed=[raw(b"abc")]))
    postgres_store.put_setting("key", b"value")
    engine = create_engine(postgres_url)
    for statement in FORBIDDEN:
        with pytest.raises(DBAPIError), engine.begin() as connection:
            connection.exec_driver_sql(statement)
    engine.dispose()


@pytest.mark.parametrize("text", ["", "a\0b", "\uf8ff", "\uf8ff0\0\uf8ff1", "\0\0"])
def test_every_character_comes_back(postgres_store: Store, text: str) -> None:
    assert unpacked(packed(text)) == text
    assert "\0" not in packed(text)
    batch = begin()
    batch.events = [event(1, body=text, type=text)]
    postgres_store.commit(batch)
    assert [(row.body, row.type) for row in postgres_store.events(S)] == [(text, text)]


def test_read_models_are_those_of_a_file(
    filled: tuple[str, dict[str, str]], tmp_path: Path
) -> None:
    url, names = filled
    for session in names.values():
        if session != names["left"]:
            assert run_file(url, "export", session, str(tmp_path / session)).code == 0  # type: ignore[arg-type]
            assert run_file(tmp_path / "file.db", "import", str(tmp_path / session)).code == 0
    with (
        closing(open_store(url, create=False)) as server,
        closing(open_store(str(tmp_path / "file.db"), create=False)) as file,
    ):
        derive.refresh(server)
        derive.refresh(file)
        for table in ROWS:
            assert repr(server.models(table)) == repr(file.models(table)).replace(
                "True", "1"
            ).replace("False", "0"), table


def test_commands_go_through_a_server(
    postgres_store: Store, run: Any, tmp_path: Path, postgres_server: Any
) -> None:
    session = record(postgres_store, conversation(interrupted=True))
    record(postgres_store, RAW)
    verified = run("verify", "--json")
    assert verified.code == 0
    assert [each["ok"] for each in json.loads(verified.out)] == [True, True]
    assert session in [each["id"] for each in json.loads(run("sessions", "--json").out)]
    assert run("rebuild").code == 0
    assert run("rebuild", "--check").code == 0
    asked = run("sql", "@slowest-turns", "--format", "json")
    assert [(row["session_id"], row["v2v_ms"]) for row in json.loads(asked.out)] == [(session, 850)]
    assert run("sql", "SELECT seq, raw FROM event WHERE raw IS NOT NULL").code == 0
    assert run("show", session).code == 0
    folder = tmp_path / "tape"
    assert run("export", session, str(folder)).code == 0
    other = new_database(postgres_server)
    assert run_file(other, "import", str(folder)).code == 0  # type: ignore[arg-type]
    assert run_file(other, "verify").code == 0  # type: ignore[arg-type]
    info = json.loads(run("db", "info", "--json").out)
    assert (info["sessions"], info["open_segments"]) == (2, 0)
    assert run("db", "upgrade").out.startswith("nothing to do")
    assert "pg_dump" in run("db", "backup", str(tmp_path / "copy")).error


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM event",
        "SELECT 1; DELETE FROM setting",
        "CREATE TABLE x (a int)",
        "COPY (SELECT 1) TO '/tmp/never'",
        "WITH gone AS (DELETE FROM setting RETURNING 1) SELECT * FROM gone",
        "SELECT setval('nothing', 1)",
        "COMMIT",
        "SELEC 1",
        "SELECT * FROM nothing",
        "SELECT 1/0",
        "SELECT",
    ],
)
def test_sql_only_reads_and_tells_in_one_line(run: Any, query: str) -> None:
    ended = run("sql", query, "--format", "json")
    assert (ended.code, "\n" in ended.error) == (2, False)


@pytest.mark.parametrize("query", ["", "\n-- words", "/* words */ ;"])
def test_sql_needs_a_question(run: Any, query: str) -> None:
    assert "there is no question" in run("sql", query).error


def test_a_store_that_is_read_is_not_written(postgres_url: str) -> None:
    with closing(open_store(postgres_url, create=False, readonly=True)) as store:
        with pytest.raises(StoreError, match="for reading only"):
            store.commit(begin())
        assert store.sessions() == []
    with pytest.raises(StoreError, match="is closed"):
        store.sessions()


def test_only_a_store_is_opened(postgres_server: Any) -> None:
    url = new_database(postgres_server)
    with pytest.raises(StoreError, match="empty database"):
        open_store(url, create=False)
    with pytest.raises(StoreError, match="empty database"):
        open_store(url, create=True, readonly=True)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE theirs (a int)")
    with pytest.raises(StoreError, match="another program"):
        open_store(url, create=True)
    for found, word in (("0001", "older"), ("9999", "newer")):
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE IF EXISTS alembic_version")
            connection.exec_driver_sql(
                f"CREATE TABLE alembic_version AS SELECT '{found}' AS version_num"
            )
        with pytest.raises(StoreError, match=word):
            open_store(url, create=True)
    engine.dispose()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgresql+psycopg://me:hidden@127.0.0.1:1/none", r"me:\*\*\*@.* cannot be reached"),
        ("postgresql+psycopg2://me:hidden@h/x", r"a store in PostgreSQL is postgresql\+psycopg"),
        ("postgresql+psycopg://h:port/x", "cannot be read"),
    ],
)
def test_a_bad_address_is_one_line_without_the_password(url: str, message: str) -> None:
    with pytest.raises(StoreError, match=message) as caught:
        open_store(url, create=False)
    assert "hidden" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_database_that_is_not_there(postgres_url: str) -> None:
    with pytest.raises(StoreError, match="does not exist"):
        open_store(postgres_url.replace("/store_", "/nothing_"), create=True)


def test_without_psycopg_the_error_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from recorder.store import open_store\n"
        "open_store('postgresql+psycopg://h/x', create=False)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "pip install 'conversation-recorder[postgres]'" in ended.stderr.splitlines()[-1]


def test_two_programs_may_make_the_store_at_once(postgres_server: Any) -> None:
    code = (
        "import sys; from recorder.store import open_store\n"
        "store = open_store(sys.argv[1], create=True); print(len(store.sessions()))"
    )
    program = [sys.executable, "-c", code, new_database(postgres_server)]
    processes = [
        subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    assert [process.communicate(timeout=60) for process in processes] == [("0\n", "")] * 2


def test_a_lost_connection_is_made_anew(postgres_store: Store, postgres_url: str) -> None:
    postgres_store.commit(begin())
    engine = create_engine(postgres_url)
    with engine.connect() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    engine.dispose()
    postgres_store.commit(Batch(events=events(1, 2)))
    assert postgres_store.count(S) == 2


def test_one_program_does_not_add_to_what_another_has_ended(
    postgres_store: Store, postgres_url: str
) -> None:
    postgres_store.commit(begin())
    with closing(open_store(postgres_url, create=False)) as other:
        other.commit(Batch(sessions=[label(status="complete", events=0, digest=b"d")]))
    with pytest.raises(StoreError, match="has ended"):
        postgres_store.commit(Batch(events=[event(1)]))


def test_migrations_make_what_the_schema_says(postgres_url: str) -> None:
    engine = create_engine(postgres_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found = compare_metadata(context, [schema.metadata, models.metadata])
        views = set(inspect(connection).get_view_names())
    engine.dispose()
    # Alembic's own table, and the index for the search of transcripts
    assert [each[1].name for each in found] == [search.NAME]
    assert views == {*TAPE_VIEWS, *VIEWS}


def test_an_older_store_is_upgraded_in_its_place(
    postgres_server: Any, monkeypatch: pytest.MonkeyPatch, next_revision: Path
) -> None:
    url = new_database(postgres_server)
    assert next_revision.stem.startswith(FURTHER)
    open_store_at(url, REVISION)
    monkeypatch.setattr(keeping, "REVISION", FURTHER)
    assert keeping.upgrade(url) == (REVISION, FURTHER, None)
    assert keeping.upgrade(url) == (FURTHER, FURTHER, None)


def test_tapes_of_an_older_store_are_read_after_its_upgrade(
    postgres_server: Any, made: ModuleType
) -> None:
    url = new_database(postgres_server)
    open_store_at(url, "0002")
    batches = made.sample()
    engine = create_engine(url)
    with engine.begin() as connection:
        for batch in batches:
            for table, rows in _as_they_were(batch):
                columns = ", ".join(rows[0])
                marks = ", ".join(f":{name}" for name in rows[0])
                connection.execute(text(f"INSERT INTO {table} ({columns}) VALUES ({marks})"), rows)
    engine.dispose()
    assert keeping.upgrade(url) == ("0002", REVISION, None)
    memory = open_store("memory:", create=True)
    for batch in batches:
        memory.commit(batch)
    with closing(open_store(url, create=False)) as store:
        assert everything(store) == everything(memory)
        refused = Batch(events=[batches[0].events[0]])
        with pytest.raises(StoreError, match="has ended"):
            store.commit(refused)


def _as_they_were(batch: Batch) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The rows of a batch for the tables of revision 0002."""
    sealed = {(row.session, row.segment): row for row in batch.sealed}
    for table, rows in (
        ("session", batch.sessions),
        ("channel", batch.channels),
        ("audio", batch.segments),
        ("event", batch.events),
        ("event_audio", batch.refs),
        ("audio_chunk", [each for each in batch.chunks if each[:2] not in sealed]),
    ):
        found = [row._asdict() for row in rows]  # type: ignore[attr-defined]
        for row in found if table == "audio" else ():
            end = sealed.get((row["session"], row["number"]))
            facts = ("size", "frames", "sha256", "form", "data", "tail")
            row |= {name: end and getattr(end, name) for name in facts}
        if found:
            yield table, found


def open_store_at(url: str, revision: str) -> None:
    """Make a store of a revision."""
    engine = create_engine(url)
    with engine.begin() as connection:
        migrate.migrate(connection, revision)
    engine.dispose()
