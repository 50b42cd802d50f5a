"""Looking after a store, wherever it is: what it holds, its schema, a copy of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from recorder.errors import StoreError
from recorder.store import files, is_postgres
from recorder.store.files import FACTS, StoreInfo, Upgrade
from recorder.store.opening import REVISION
from recorder.store.sqlite import sqlite_path

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine


def where(url: str) -> str:
    """The file of a store, or the address of its server without the password."""
    if not is_postgres(url):
        return str(sqlite_path(url).absolute())
    from recorder.store.postgres_engine import postgres_url, shown

    return shown(postgres_url(url))


def info(url: str) -> StoreInfo:
    """Measure a store."""
    if not is_postgres(url):
        return files.info(url)
    from recorder.store.postgres import unfit
    from recorder.store.postgres_engine import explained, postgres_url

    address = postgres_url(url)
    with _existing(address) as (engine, found):
        if found != REVISION:
            raise unfit(address, found)
        with explained(address), engine.connect() as connection:
            facts = connection.exec_driver_sql(FACTS).one()
            size, page = connection.exec_driver_sql(
                "SELECT pg_database_size(current_database()), current_setting('block_size')::bigint"
            ).one()
    numbers = (int(each) for each in facts)
    return StoreInfo(where(url), found, int(size), 0, int(page), int(size // page), 0, *numbers)


def upgrade(url: str) -> Upgrade:
    """Bring an older store to this program's revision. A file is copied before; a database is not:
    it is changed in one transaction, and pg_dump makes copies."""
    if not is_postgres(url):
        return files.upgrade(url)
    from recorder.store.engine import disposed
    from recorder.store.migrate import revisions
    from recorder.store.postgres import fill, unfit
    from recorder.store.postgres_engine import postgres_engine, postgres_url

    address = postgres_url(url)
    with _existing(address) as (_, found):
        if found not in revisions():
            raise unfit(address, found)
    if found != REVISION:
        with disposed(postgres_engine(address, readonly=False)) as writer:
            fill(writer, address)
    return Upgrade(found, REVISION, None)


def backup(url: str, target: Path) -> None:
    """Copy a store, also while others write to it, to a new file."""
    if is_postgres(url):
        raise StoreError(f"{where(url)}: a database is copied with pg_dump")
    files.backup(url, target)


@contextmanager
def _existing(address: URL) -> Iterator[tuple[Engine, str]]:
    """The store in a database that must have one, and its revision."""
    from recorder.store.engine import disposed
    from recorder.store.postgres import revision
    from recorder.store.postgres_engine import postgres_engine, shown

    with disposed(postgres_engine(address, readonly=True)) as engine:
        found = revision(engine, address)
        if found is None:
            raise StoreError(f"{shown(address)}: an empty database, no store")
        yield engine, found
