"""What is made of the schema is current: docs/sql.md, and the metadata for Datasette."""

from __future__ import annotations

import importlib.util
import json
import sys
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from asked import GIVEN, OF, answer, library
from commandline import out

from recorder.store import datasette, models, open_store, tape_views
from recorder.store.about import ABOUT, TAPE
from recorder.store.cookbook import recipes

SCRIPT = Path(__file__).parents[3] / "docs" / "make_sql.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_sql", SCRIPT)
    assert spec
    assert spec.loader
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_current(script: ModuleType) -> None:
    assert script.PAGE.read_text(encoding="utf-8") == script.page(), "run python docs/make_sql.py"
    assert all(f"### `@{name}`" in script.page() for name in recipes())


def test_every_column_is_described() -> None:
    tape = {relation.name: relation for relation in tape_views.RELATIONS}
    for tables, about in ((models.TABLES, ABOUT), (tape, TAPE)):
        assert tables.keys() == about.keys()
        for name, table in tables.items():
            told = [column.rstrip("_") for column in about[name] if column]
            assert told == [column.name for column in table.columns], name


def test_the_shipped_metadata_is_current(tmp_path: Path) -> None:
    shipped = json.loads(datasette.SHIPPED.read_text(encoding="utf-8"))
    assert shipped == datasette.metadata("conversations"), "run python docs/make_sql.py"
    made = json.loads(out(tmp_path / "other.db", "db", "datasette"))
    assert list(made["databases"]) == ["other"]


async def test_datasette_opens_the_file_and_answers_the_named_queries(tmp_path: Path) -> None:
    app = pytest.importorskip("datasette.app", reason="datasette is not installed")
    path = tmp_path / "conversations.db"
    url = f"sqlite:///{path}"
    names = library(url)
    with closing(open_store(url, create=False, readonly=True)):  # it may be in use
        served = app.Datasette([str(path)], metadata=datasette.metadata("conversations"))
        await served.invoke_startup()
        page = await served.client.get("/conversations/v_turns")
        assert page.status_code == 200
        assert "v2v_ms" in page.text
        for name, recipe in recipes().items():
            given: dict[str, Any] = {**recipe.parameters, **GIVEN.get(name, {})}
            if "session" in given:
                wanted = OF.get(name, "spoken")
                given["session"] = next(each for each, known in names.items() if known == wanted)
            found = await served.client.get(
                f"/conversations/{name}.json", params={**given, "_shape": "arrays"}
            )
            assert found.status_code == 200, (name, found.text)
            rows = [[plain(cell, names) for cell in row] for row in found.json()["rows"]]
            assert rows == answer(url, recipe, names)["rows"], name
        empty = dict.fromkeys(recipes()["timeline"].parameters, "")
        found = await served.client.get("/conversations/timeline.json", params=empty)
        last = recipes()["timeline"].parameters | {"session": max(names)}
        usual = await served.client.get("/conversations/timeline.json", params=last)
        assert found.json()["rows"] == usual.json()["rows"] != []


def plain(value: Any, names: dict[str, str]) -> Any:
    """A cell as `asked.answer` tells it."""
    if isinstance(value, str):
        return names.get(value, value)
    return round(value, 9) if isinstance(value, float) else value
