"""What opening a store means wherever it is: which revision it is at, and what is said of one
that does not fit."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Final

from recorder.errors import StoreError

REVISION: Final = "0003"
"""The newest revision in `migrations/`: what this program reads and writes."""


def revision_of(tables: Collection[str], ask: Callable[[str], Any], name: object) -> str | None:
    """The revision that the store called `name` is at, which has these tables and answers to
    `ask`; None for an empty database. StoreError for one of another program."""
    if not tables:
        return None
    if "alembic_version" in tables:
        found = ask("SELECT version_num FROM alembic_version").fetchone()
        if found is not None and found[0] is not None:
            return str(found[0])
    raise StoreError(f"{name}: a database of another program: name another with --store")


def other_revision(name: object, found: str, upgrading: str) -> StoreError:
    """Why a store of another revision is not opened; `upgrading` says how an older one is
    upgraded."""
    from recorder.store.migrate import revisions  # loads Alembic

    if found in revisions():
        return StoreError(
            f"{name}: has the older schema {found}, this program needs {REVISION}: run {upgrading}"
        )
    return StoreError(
        f"{name}: has the schema {found}, which is newer than this program ({REVISION}):"
        " install the version of it that made the store"
    )
