"""What opening a store means wherever it is: engines that are given back, and which revision it is
at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, inspect

from recorder.errors import StoreError
from recorder.store.schema import REVISION


@contextmanager
def disposed(engine: Engine) -> Iterator[Engine]:
    """An engine whose connections are given back at the end."""
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def disposed_on_error(engine: Engine) -> Iterator[Engine]:
    """An engine whose connections are given back only if something fails."""
    try:
        yield engine
    except BaseException:
        engine.dispose()
        raise


def revision_of(connection: Connection, name: object) -> str | None:
    """The revision that the store called `name` is at; None for an empty database. StoreError for
    one of another program."""
    tables = inspect(connection).get_table_names()
    if not tables:
        return None
    if "alembic_version" in tables:
        found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        if found is not None:
            return str(found)
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
