"""What Datasette shows of a store: what each table is, its columns, and the named queries."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from recorder.store.about import ABOUT, TAPE
from recorder.store.cookbook import Recipe, recipes
from recorder.store.view_about import VIEW_ABOUT

SHIPPED: Final = Path(__file__).with_name("datasette.json")
"""The metadata of a store that is called `conversations.db`."""


def metadata(database: str) -> dict[str, Any]:
    """A metadata file, for `datasette FILE --metadata`; `database` is the file without `.db`.

    Datasette gives a parameter that has no value an empty one: what is usual stands in for it.
    """
    tables: dict[str, Any] = {}
    for name, about in {**ABOUT, **TAPE}.items():
        columns = {column.rstrip("_"): text for column, text in about.items() if column}
        tables[name] = {"description": about[""], "columns": columns}
    for name, (what, described) in VIEW_ABOUT.items():
        columns = {column: each.meaning for column, each in described.items()}
        tables[name] = {"description": what, "columns": columns}
    queries = {
        recipe.name: {
            "title": recipe.question,
            "sql": _filled_in(recipe),
            "params": list(recipe.parameters),
            "description": " ".join(f":{k} {v}" for k, v in recipe.parameters.items()),
        }
        for recipe in recipes().values()
    }
    return {
        "title": "Recorded conversations",
        "databases": {database: {"tables": tables, "queries": queries}},
    }


def _filled_in(recipe: Recipe) -> str:
    """The query, with what is usual in the place of a parameter that is left empty."""

    def usual(match: re.Match[str]) -> str:
        name, given = match[1], recipe.parameters[match[1]]
        last = name == "session" and given == "last"
        other = "(SELECT max(id) FROM session)" if last else f"'{given}'"
        return f"coalesce(nullif(:{name}, ''), {other})"

    names = "|".join(recipe.parameters)
    return re.sub(rf":({names})\b", usual, recipe.sql) if names else recipe.sql
