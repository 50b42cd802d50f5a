"""Write `docs/sql.md` and `recorder/store/datasette.json` from the schema, what is written about it
and the named queries.

    python docs/make_sql.py
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Table

from recorder.store import datasette, models, tape_views
from recorder.store.about import ABOUT, TAPE
from recorder.store.cookbook import recipes
from recorder.store.view_about import VIEW_ABOUT

PAGE = Path(__file__).with_name("sql.md")
_HEAD = """# Questions in SQL

*This page is made by `python docs/make_sql.py`.*

A store is one SQLite file, or one PostgreSQL database; any SQL tool opens it. `record sql QUERY`
asks it without a way to change it, `record sql @NAME` asks one of the questions below, and
`record sql --list` lists them. Values are as [metrics.md](metrics.md) and [costs.md](costs.md)
define them; what is not known is NULL, never 0. Which metrics GPT-Live has not, and why, stands in
[openai-live.md](openai-live.md#metrics).

Three layers stand beside each other:

- **Views** (`v_…`) are for questions: offsets in milliseconds, money as numbers.
- **Read models** are tables that are derived from the tape, each row with the events that it rests
  on. They are made when a session has ended and made anew when the program or the prices have
  changed; `record rebuild` does so at any time, with the same result, and `record rebuild --check`
  tells what would change. `record sql` sees to it first (`--as-is` does not).
- **The tape** is what was recorded. It never changes.

`session_id` joins views, `session` tables, `session.id` both. `first_seq` and `last_seq` lead to
`v_events.seq`. Columns that tell true from false are 1 and 0.

**PostgreSQL** (`--store postgresql+psycopg://USER:PASSWORD@HOST/DATABASE`) has the same tables and
views, save the virtual table `transcript_search`. It cannot hold the character NUL: in texts that
have one it is written as U+F8FF and `0`, and U+F8FF itself as U+F8FF and `1`. Make the database
with the locale `C`, so that texts are in the order of their bytes as in SQLite.

**Datasette**: `record db datasette > metadata.json`, then
`datasette conversations.db --metadata metadata.json` shows the tables with what is written about
their columns here, and the named queries. For a store called `conversations.db` the file ships as
`recorder/store/datasette.json`.

**Parquet**: `record export --parquet DIR` writes each table and each view as `DIR/NAME.parquet`.
"""


def page() -> str:
    """The whole page."""
    return "\n".join(_lines()).rstrip() + "\n"


def _lines() -> Iterator[str]:
    yield _HEAD
    yield "## Views\n"
    for view, (what, columns) in VIEW_ABOUT.items():
        yield f"### `{view}`\n\n{what}\n\n| column | type | meaning | from |\n|---|---|---|---|"
        for name, column in columns.items():
            yield f"| `{name}` | {column.type} | {_cell(column.meaning)} | {column.source} |"
        yield ""
    yield "## Read models\n"
    for table in models.TABLES.values():
        yield from _table(table, ABOUT[table.name])
    yield "## The tape\n"
    for table in tape_views.RELATIONS:
        yield from _table(table, TAPE[table.name])
    yield "## Cookbook\n"
    yield "Parameters are given with `-p NAME=VALUE`; after each stands what it is otherwise.\n"
    others = recipes("postgresql")
    for recipe in recipes().values():
        yield f"### `@{recipe.name}`\n\n{recipe.question}\n"
        if recipe.parameters:
            told = ", ".join(f"`{name}` ({value})" for name, value in recipe.parameters.items())
            yield f"Parameters: {told}\n"
        yield f"```sql\n{recipe.sql}\n```\n"
        if others[recipe.name].sql != recipe.sql:
            yield f"In PostgreSQL:\n\n```sql\n{others[recipe.name].sql}\n```\n"


def _table(table: Table, about: object) -> Iterator[str]:
    assert isinstance(about, dict)
    yield f"### `{table.name}`\n\n{about['']}\n\n| column | type | meaning |\n|---|---|---|"
    for column in table.columns:
        key = "" if column.primary_key or not column.nullable else ", may be NULL"
        meaning = about.get(column.name) or about[f"{column.name}_"]
        kind = str(column.type).lower().replace("double", "real").replace("bigint", "integer")
        yield f"| `{column.name}` | {kind}{key} | {_cell(meaning)} |"
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> None:
    PAGE.write_text(page(), encoding="utf-8")
    made = json.dumps(datasette.metadata("conversations"), indent=1, ensure_ascii=False)
    datasette.SHIPPED.write_text(made + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
