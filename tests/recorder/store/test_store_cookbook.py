"""Every named query gives the answer that is known for the library, in both databases."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from asked import ANSWERS, answer, library
from postgres import new_database

from recorder.store.cookbook import recipes

KNOWN: dict[str, Any] = json.loads(ANSWERS.read_text(encoding="utf-8"))
Asked = tuple[str, dict[str, str]]


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    url = f"sqlite:///{tmp_path_factory.mktemp('cookbook')}/library.db"
    return url, library(url)


@pytest.fixture(scope="module")
def postgresql(postgres_server: Any) -> Asked:
    url = new_database(postgres_server)
    return url, library(url)


def test_there_are_many_and_each_has_a_known_answer() -> None:
    assert len(recipes()) >= 25
    assert recipes().keys() == recipes("postgresql").keys() == KNOWN.keys()
    assert all(told["rows"] for told in KNOWN.values())


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
@pytest.mark.parametrize("name", sorted(KNOWN))
def test_a_query_gives_its_answer(name: str, dialect: str, request: pytest.FixtureRequest) -> None:
    url, names = request.getfixturevalue(dialect)
    assert answer(url, recipes(dialect)[name], names) == KNOWN[name]


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_each_file_says_what_it_asks(dialect: str) -> None:
    for recipe in recipes(dialect).values():
        assert re.fullmatch(r"[A-Z][^?]*\?( [A-Z].*\.)?", recipe.question), recipe.name
        assert set(re.findall(r"(?<![:\w]):(\w+)", recipe.sql)) == set(recipe.parameters)
        assert not recipe.sql.startswith("--")


def test_they_are_shipped() -> None:
    folder = Path(recipes.__code__.co_filename).parent
    assert len(list(folder.glob("*.sql"))) == len(recipes()) + 1
