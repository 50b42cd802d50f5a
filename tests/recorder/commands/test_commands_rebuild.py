"""`record rebuild`: read models are a function of the tape, and of nothing else."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from commandline import out, run
from library import fill

from recorder import derive, projections
from recorder.billing import cost_rows
from recorder.errors import StoreError
from recorder.pricing import PriceBook
from recorder.projections import Models
from recorder.recording import Recording
from recorder.store import open_store
from recorder.store.model_rows import ROWS

TAPES = Path(__file__).parents[3] / "fixtures" / "tapes"
DATABASES = Path(__file__).parents[3] / "fixtures" / "databases"


def models(path: Path) -> dict[str, bytes]:
    """All read models of a store, each table as bytes."""
    with closing(open_store(str(path), create=False, readonly=True)) as store:
        return {table: repr(store.models(table)).encode() for table in ROWS}


def marks(path: Path) -> list[str]:
    """The sessions that have read models."""
    with closing(open_store(str(path), create=False, readonly=True)) as store:
        return [row.session for row in store.models("mark")]


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A store with every tape there is, without read models; and the ids of the library."""
    path = tmp_path_factory.mktemp("full") / "full.db"
    for folder in sorted(TAPES.iterdir()):
        out(path, "import", str(folder))
    with closing(open_store(str(path), create=False)) as store:
        names = fill(store)
        for row in store.sessions():
            store.put_models(row.id, {})
    return path, names


@pytest.fixture
def path(full: tuple[Path, dict[str, str]], tmp_path: Path) -> Path:
    return Path(shutil.copy(full[0], tmp_path / "tapes.db"))


@pytest.fixture
def names(full: tuple[Path, dict[str, str]]) -> dict[str, str]:
    return full[1]


def sessions(path: Path) -> list[str]:
    with closing(open_store(str(path), create=False, readonly=True)) as store:
        return [row.id for row in store.sessions()]


def rebuild(path: Path, order: Sequence[str]) -> dict[str, bytes]:
    for session in order:
        out(path, "rebuild", "--session", session)
    return models(path)


def test_they_are_byte_equal_in_any_order_and_twice(path: Path) -> None:
    assert out(path, "rebuild") == (
        f"rebuilt {len(sessions(path))} sessions (prices: {PriceBook.shipped().label},"
        " of each one's day)\n"
    )
    first = models(path)
    assert all(len(rows) > 2 for table, rows in first.items() if table != "interruption")
    assert rebuild(path, sessions(path)) == first
    for order in itertools.islice(itertools.permutations(sessions(path)), 500, 5000, 2200):
        assert rebuild(path, order) == first


def test_they_are_byte_equal_after_an_export_and_an_import(
    path: Path, tmp_path: Path, names: dict[str, str]
) -> None:
    out(path, "rebuild")
    copy = tmp_path / "copy.db"
    for session in reversed(sessions(path)):
        out(path, "export", session, str(tmp_path / session))
        out(copy, "import", str(tmp_path / session))
    assert models(copy) == models(path)  # filled by the import
    out(copy, "rebuild")
    assert models(copy) == models(path)


def test_a_session_whose_recording_died_is_made_as_far_as_it_goes(
    path: Path, names: dict[str, str]
) -> None:
    out(path, "rebuild", "--session", names["left"])
    with closing(open_store(str(path), create=False)) as store:
        assert [turn.agent_text for turn in store.models("turn", names["left"])] == [
            "Good morning."
        ]


def test_only_what_is_named_is_made(path: Path, names: dict[str, str]) -> None:
    out(path, "rebuild", "--trial", "calls")
    assert marks(path) == [names["call"]]
    assert run(path, "rebuild", "--trial", "nothing").code == 2
    assert run(path, "rebuild", "--session", "zz").code == 2
    assert run(path, "rebuild", "--trial", "calls", "--session", names["call"]).code == 2
    assert run(path, "rebuild", "--prices", "someday").code == 2


def test_check_tells_what_would_change_and_changes_nothing(
    path: Path, names: dict[str, str]
) -> None:
    ended = run(path, "rebuild", "--check", "--session", names["call"])
    assert ended.code == 1
    assert f"{names['call']}  turn: 0 rows would go, 2 would come\n" in ended.out
    assert marks(path) == []
    out(path, "rebuild")
    assert out(path, "rebuild", "--check").endswith("would stay as they are\n")
    with closing(open_store(str(path), create=False)) as store:
        made = {table: store.models(table, names["call"]) for table in ROWS}
        made["turn"] = [made["turn"][0], made["turn"][1]._replace(agent_text="It snows.")]
        store.put_models(names["call"], made)
    ended = run(path, "rebuild", "--check")
    assert ended.out == f"{names['call']}  turn: 1 row would go, 1 would come\n"
    assert (ended.code, ended.error) == (1, "the read models of 1 of 7 sessions would change")


def test_a_bug_that_is_mended_later_needs_no_new_recording(
    path: Path, names: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    right = projections.project

    def wrong(*given: object) -> Models:
        made = right(*given)  # type: ignore[arg-type]
        made.turns = [turn._replace(agent_text="") for turn in made.turns]
        return made

    monkeypatch.setattr(projections, "project", wrong)
    out(path, "rebuild")
    question = "SELECT count(*) AS n FROM turn WHERE agent_text <> ''"
    assert out(path, "sql", question).splitlines()[1].strip() == "0"
    monkeypatch.setattr(projections, "project", right)
    assert out(path, "sql", question).splitlines()[1].strip() == "0"  # nobody knows yet
    monkeypatch.setattr(projections, "VERSION", "next")
    assert run(path, "rebuild", "--check").code == 1
    assert out(path, "sql", question).splitlines()[1].strip() != "0"
    assert out(path, "rebuild", "--check").endswith("would stay as they are\n")


def test_old_tapes_are_priced_again_and_keep_the_day(path: Path, names: dict[str, str]) -> None:
    out(path, "rebuild")
    sums = "SELECT sum(usd IS NULL) AS unknown FROM cost_line WHERE session = '{}'"
    query = sums.format(names["spoken"])
    assert out(path, "sql", query).splitlines()[1].strip() == "1"
    told = out(path, "rebuild", "--session", names["spoken"], "--prices", "2020-01-01")
    assert told.endswith(", prices of 2020-01-01)\n")
    assert out(path, "sql", query).splitlines()[1].strip() == "7"  # no price was in force
    with closing(open_store(str(path), create=False, readonly=True)) as store:
        made = {row.session: row.price_book for row in store.models("mark")}
        assert made[names["spoken"]].endswith("prices of 2020-01-01")
        assert derive.stale(store, PriceBook.shipped()) == []
    out(path, "rebuild", "--session", names["spoken"])
    assert out(path, "sql", query).splitlines()[1].strip() == "1"


def test_a_damaged_tape_does_not_keep_the_others_back(
    path: Path, names: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    good = Recording.moments

    def moments(self: Recording, *given: int) -> object:
        if self.id == names["call"]:
            raise StoreError("the audio is gone")
        return good(self, *given)

    monkeypatch.setattr(Recording, "moments", moments)
    ended = run(path, "rebuild")
    assert (ended.code, ended.error) == (2, "1 of 7 sessions could not be rebuilt, see above")
    assert len(marks(path)) == 6
    asked = run(path, "sql", "SELECT 1 AS one")
    assert asked.code == 0
    assert asked.error.count("\n") == 1
    assert f"the read models of {names['call']} could not be made" in asked.error


def test_a_bug_in_deriving_harms_no_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(derive, "cost_rows", broken)
    ended = run(tmp_path / "new.db", "import", str(TAPES / "openai-typed"))
    assert (ended.code, ended.error.count("\n")) == (0, 1)
    assert "could not be made (a bug: ZeroDivisionError('a bug'))" in ended.error
    assert marks(tmp_path / "new.db") == []
    monkeypatch.setattr(derive, "cost_rows", cost_rows)
    assert out(tmp_path / "new.db", "rebuild").startswith("rebuilt 1 session ")


def test_a_file_that_cannot_be_written_is_read_as_it_is(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recorder.store.files.writable", lambda file: file.is_dir())
    ended = run(path, "sql", "SELECT count(*) AS n FROM turn")
    assert ended.out.splitlines()[1].strip() == "0"
    assert ended.error.startswith("record: read models are not up to date")
    assert ended.error.count("\n") == 1


def test_a_session_of_an_unknown_provider_is_left_alone(
    path: Path, names: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(derive.PROVIDERS, "vapi")  # type: ignore[arg-type]
    ended = run(path, "rebuild", "--session", names["call"])
    assert (ended.code, "provider" in ended.error) == (2, True)
    assert out(path, "rebuild").startswith("rebuilt 6 sessions ")


@pytest.mark.parametrize("old", sorted(DATABASES.glob("*.db")), ids=lambda file: file.stem)
def test_an_upgraded_file_fills_its_read_models_when_asked(old: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(old, tmp_path / "old.db"))
    out(path, "db", "upgrade")
    out(path, "sql", "SELECT count(*) FROM turn")
    assert marks(path) != []
    first = models(path)
    out(path, "rebuild")
    assert models(path) == first
