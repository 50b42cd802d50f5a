"""The event store: what a tape is kept in. Its numbered guarantees are in docs/store.md."""

from __future__ import annotations

from recorder.store.base import Store

__all__ = ["is_postgres", "open_store"]


def is_postgres(url: str) -> bool:
    """Whether a store is on a PostgreSQL server."""
    return url.startswith(("postgresql:", "postgresql+", "postgres:"))


def open_store(url: str, *, create: bool, readonly: bool = False) -> Store:
    """Open `sqlite:///PATH`, a bare path, `postgresql+psycopg://…`, or `memory:` (a new, empty
    store of this process).

    With `create`, a missing file is made, or an empty database filled. A read-only store never
    writes. Anything but a store of this program's revision is refused with a `StoreError` of one
    line.
    """
    if url == "memory:":
        from recorder.store.memory import MemoryStore

        return MemoryStore()
    if is_postgres(url):
        from recorder.store.postgres import open_postgres

        return open_postgres(url, create=create, readonly=readonly)
    from recorder.store.files import open_file
    from recorder.store.sqlite import sqlite_path

    return open_file(sqlite_path(url), create=create, readonly=readonly)
