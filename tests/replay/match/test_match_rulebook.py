"""Rules by place."""

from __future__ import annotations

import pytest

from recorder.providers.base import Rules
from replay.match.rulebook import Place, Rulebook

RULES = Rules(
    ids={"id": "own", "**.item_id": "item", "list.*.id": "listed"},
    volatile=("**.noise", "odd:end", "deep.**.x"),
    optional=frozenset(),
    ungated=frozenset(),
    deltas={},
    explicit_nulls=("session.**",),
)


def at(*path: str | int, type_: str = "any") -> Place:
    place = Rulebook(RULES).root(type_)
    for key in path:
        place = place.down(key)
    return place


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (("id",), "own"),
        (("item_id",), "item"),
        (("a", 3, "item_id"), "item"),
        (("list", 0, "id"), "listed"),
        (("list", 7, "id"), "listed"),
        (("list", "id"), None),
        (("a", "id"), None),
        (("list", 0, "id", "more"), None),
    ],
)
def test_ids_stand_where_the_rules_say(path: tuple[str | int, ...], kind: str | None) -> None:
    assert at(*path).id_kind == kind


@pytest.mark.parametrize(
    ("path", "volatile"),
    [
        (("noise",), True),
        (("a", "noise"), True),
        (("deep", "x"), True),
        (("deep", "a", 1, "x"), True),
        (("deep", "a"), False),
        (("end",), False),
    ],
)
def test_volatile_places(path: tuple[str | int, ...], volatile: bool) -> None:
    assert at(*path).is_volatile is volatile


def test_a_place_may_hold_for_one_type_only() -> None:
    assert at("end", type_="odd").is_volatile
    assert not at("end", type_="even").is_volatile


def test_nulls_are_kept_below_a_place() -> None:
    assert at("session", "audio", "input").keeps_null
    assert at("session").keeps_null
    assert not at("response", "audio").keeps_null


def test_places_are_made_once() -> None:
    root = Rulebook(RULES).root("any")
    assert root.down("list").down(1) is root.down("list").down(2)
    assert root.down("unknown") is root.down("other")
