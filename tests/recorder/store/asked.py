"""The named queries, asked of the library. Run as a program it writes the answers that
`test_store_cookbook.py` expects: look at what has changed before you keep them."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from library import fill

from recorder import derive
from recorder.store import open_store
from recorder.store.cookbook import Recipe, recipes
from recorder.store.query import asking

ANSWERS = Path(__file__).with_name("cookbook_answers.json")
OF = {"tool-calls": "call", "transcript": "call", "gaps": "typed"}
GIVEN = {"timeline": {"from_ms": "0", "to_ms": "60"}, "late-turns": {"limit_ms": "850.0"}}


def library(url: str) -> dict[str, str]:
    """Make the store; the names of its sessions by id."""
    store = open_store(url, create=True)
    names = {session: name for name, session in fill(store).items()}
    derive.refresh(store)
    store.close()
    return names


def answer(url: str, recipe: Recipe, names: Mapping[str, str]) -> dict[str, Any]:
    """Columns and rows, with names for ids and numbers as they are in every database."""
    given = {**recipe.parameters, **GIVEN.get(recipe.name, {})}
    if "session" in given:
        wanted = OF.get(recipe.name, "spoken")
        given["session"] = next(each for each, name in names.items() if name == wanted)
    with asking(url, recipe.sql, given) as (columns, rows):
        return {
            "columns": columns,
            "rows": [[_plain(value, names) for value in row] for row in rows],
        }


def _plain(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, float | Decimal):
        return round(float(value), 9)
    return value


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/library.db"
        names = library(url)
        made = {name: answer(url, recipe, names) for name, recipe in recipes().items()}
    lines = ",\n".join(
        f'"{name}": {{"columns": {json.dumps(told["columns"])}, "rows": [\n'
        + ",\n".join("  " + json.dumps(row, ensure_ascii=False) for row in told["rows"])
        + "\n]}"
        for name, told in made.items()
    )
    ANSWERS.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
