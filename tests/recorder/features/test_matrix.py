"""A cell is shown by its query, else documented, else not tested."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from recorder.errors import RecorderError, StoreError
from recorder.features.definitions import Claim, Column, Definitions, Feature, Query, Source
from recorder.features.matrix import Cell, fill

SOURCE = Source("Acme, Sound", "https://acme.example/sound", date(2026, 11, 24))
CLAIM = Claim("yes", "always", SOURCE)
QUERY = Query("SELECT counts", "{shown} of {of} times", ())
COLUMNS = (Column("acme", "Acme", "acme"), Column("later", "Later", None))


class Store:
    """Answers the query of a feature with the rows given; each provider has three sessions."""

    def __init__(
        self, rows: list[tuple[Any, ...]] | Exception, providers: tuple[str, ...] = ("acme",)
    ) -> None:
        self.asked: list[Mapping[str, str]] = []
        self._rows, self._providers = rows, providers

    def __call__(self, sql: str, given: Mapping[str, str]) -> list[tuple[Any, ...]]:
        if "DISTINCT provider" in sql:
            return [(name,) for name in self._providers]
        if sql != QUERY.sql:
            return [(3, 1)]
        self.asked.append(given)
        if isinstance(self._rows, Exception):
            raise self._rows
        return self._rows


def cells(store: Store, *, claim: bool = True) -> tuple[Cell, ...]:
    claims = {"acme": CLAIM, "later": CLAIM} if claim else {}
    feature = Feature("echo", "Sound", "Echo", "Is there one?", (QUERY,), claims)
    [row] = fill(Definitions(COLUMNS, (feature,)), "switch", store).rows
    return row.cells


def test_what_a_query_tells_comes_first() -> None:
    store = Store([(2, 5)])
    first, later = cells(store)
    assert first.shown is not None
    assert (first.state, first.shown.text) == ("shown", "2 of 5 times")
    assert first.claim == CLAIM
    assert later.state == "documented"
    assert store.asked == [{"trial": "switch", "provider": "acme"}]


def test_what_was_never_tried_is_not_shown() -> None:
    assert cells(Store([(0, 0)]))[0].state == "documented"
    assert cells(Store([(0, 0)]), claim=False)[0].state == "not tested"
    assert cells(Store([(0, 4)]))[0].state == "shown"


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([], "has to give one row of two counts"),
        ([(1, 2), (3, 4)], "has to give one row of two counts"),
        ([(1, None)], "has to give one row of two counts"),
        ([("1", 2)], "has to give one row of two counts"),
        ([(3, 2)], "shown 3 of 2 times"),
        (StoreError("the query fails: no such table"), "feature echo: the query fails"),
    ],
)
def test_a_query_that_tells_something_else_is_named(
    rows: list[tuple[Any, ...]] | Exception, told: str
) -> None:
    with pytest.raises(RecorderError, match=told):
        cells(Store(rows))


def test_a_trial_without_sessions_is_none() -> None:
    with pytest.raises(RecorderError, match="no sessions of trial 'switch'"):
        cells(Store([(1, 1)], providers=()))


def test_a_provider_without_a_column_gets_one_for_what_is_shown() -> None:
    feature = Feature("echo", "Sound", "Echo", "Is there one?", (QUERY,), {"acme": CLAIM})
    found = fill(Definitions(COLUMNS, (feature,)), "switch", Store([(1, 1)], ("acme", "new")))
    assert [arm.column.name for arm in found.arms] == ["Acme", "Later", "new"]
    assert [cell.state for cell in found.rows[0].cells] == ["shown", "not tested", "shown"]
