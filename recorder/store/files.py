"""A store as a file: opened, described, copied and upgraded."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Engine

from recorder.errors import StoreError
from recorder.store.engine import (
    Mode,
    connector,
    create_file,
    explained,
    open_engine,
    sqlite_path,
    wal_bytes,
    writable,
)
from recorder.store.opening import disposed, disposed_on_error, other_revision, revision_of
from recorder.store.schema import REVISION
from recorder.store.sql import SqlStore


class Upgrade(NamedTuple):
    """What an upgrade did; `backup` is None when there was nothing to do."""

    old: str
    new: str
    backup: Path | None


@dataclass(frozen=True)
class StoreInfo:
    """Facts about a store's file. Sizes are bytes; `audio_*` are those of `audio.data`."""

    path: str
    revision: str
    size: int
    wal_size: int
    page_size: int
    pages: int
    free_pages: int
    sessions: int
    events: int
    segments: int
    open_segments: int
    audio_raw: int  # open segments
    audio_sealed: int  # sealed segments, as stored
    audio_wire: int  # the same, as they crossed the wire


FACTS = """
SELECT (SELECT count(*) FROM session),
       (SELECT count(*) FROM tape_event),
       (SELECT count(*) FROM tape_audio),
       (SELECT count(*) FROM tape_audio WHERE form IS NULL),
       (SELECT coalesce(sum(size), 0) FROM tape_audio_chunk),
       (SELECT coalesce(sum(length(data) + length(tail)), 0) FROM tape_audio),
       (SELECT coalesce(sum(size), 0) FROM tape_audio)
"""


def open_file(path: Path, *, create: bool, readonly: bool) -> SqlStore:
    """Open a store; with `create`, a file that is missing or empty becomes one."""
    if create and not readonly and not path.exists():
        create_file(path)
    with disposed_on_error(_reader(path)) as reader:
        found = _revision(reader, path)
        if found is None and (readonly or not create):
            raise StoreError(f"{path}: an empty file, no store: name another with --store")
        if found is not None and found != REVISION:
            raise _unfit(path, found)
        if readonly:
            return SqlStore(path, reader, None)
        _check_writable(path)
        if found is None:
            path.chmod(0o600)
            _migrate(path)
        with explained(path):
            return SqlStore(path, reader, connector(path, "rw")())


def upgrade(url: str) -> Upgrade:
    """Bring an older store to this program's revision, after copying the file beside it."""
    from recorder.store.migrate import revisions  # loads Alembic

    path = sqlite_path(url)
    found = _existing(path)
    if found == REVISION:
        return Upgrade(found, found, None)
    if found not in revisions():
        raise _unfit(path, found)
    _check_writable(path)
    copy = _free_name(path, found)
    _copy(path, copy)
    _migrate(path)
    _shrink(path)
    return Upgrade(found, REVISION, copy)


def backup(url: str, target: Path) -> None:
    """Copy a store, also while others write to it, to a new file."""
    path = sqlite_path(url)
    _existing(path)
    _copy(path, target)


def info(url: str) -> StoreInfo:
    """Measure a store."""
    path = sqlite_path(url)
    revision = _existing(path)
    if revision != REVISION:
        raise _unfit(path, revision)
    with disposed(_reader(path)) as reader, explained(path), reader.connect() as connection:
        size, pages, free = (
            int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())
            for name in ("page_size", "page_count", "freelist_count")
        )
        facts = connection.exec_driver_sql(FACTS).one()
    return StoreInfo(
        str(path),
        revision,
        path.stat().st_size,
        wal_bytes(path),
        size,
        pages,
        free,
        *facts,
    )


def _existing(path: Path) -> str:
    """The revision of a store that must be there."""
    with disposed(_reader(path)) as reader:
        found = _revision(reader, path)
    if found is None:
        raise StoreError(f"{path}: an empty file, no store: name another with --store")
    return found


def _revision(reader: Engine, path: Path) -> str | None:
    """The revision a file is at; None for an empty one."""
    with explained(path), reader.connect() as connection:
        return revision_of(connection, path)


def _unfit(path: Path, found: str) -> StoreError:
    return other_revision(path, found, f"`record db upgrade --store {path}`, which keeps a copy")


def _reader(path: Path) -> Engine:
    """An engine that never writes, for a file that must be there."""
    if path.is_dir():
        raise StoreError(f"{path}: a folder: name a file in it with --store")
    if not path.exists():
        raise StoreError(
            f"{path}: no such store: `record proxy --store {path}` makes one,"
            " or name another with --store"
        )
    return open_engine(path, read_mode(path))


def read_mode(path: Path) -> Mode:
    """`immutable` for a store closed in order in a folder where its -shm file cannot be made."""
    return "ro" if writable(path.absolute().parent) or wal_bytes(path) else "immutable"


def _check_writable(path: Path) -> None:
    if not writable(path) or not writable(path.absolute().parent):
        raise StoreError(
            f"{path}: read-only: make the file and its folder writable, or name another file"
            " with --store"
        )


def _migrate(path: Path) -> None:
    """Make the schema, or bring it to this program's; nothing is left to do if another process did
    while this one waited."""
    from recorder.store.migrate import migrate  # loads Alembic

    with (
        disposed(open_engine(path, "rw")) as writer,
        explained(path),
        writer.begin() as connection,
    ):
        migrate(connection)


def _shrink(path: Path) -> None:
    """Give back the room of what a migration has replaced."""
    with explained(path), closing(connector(path, "rw")()) as db:
        db.execute("VACUUM")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _free_name(path: Path, revision: str) -> Path:
    """`calls.db` at revision 0001 is kept as `calls.0001.db`, the next time `calls.0001-2.db`."""
    name = path.with_name(f"{path.stem}.{revision}{path.suffix}")
    number = 2
    while name.exists():
        name = path.with_name(f"{path.stem}.{revision}-{number}{path.suffix}")
        number += 1
    return name


def _copy(path: Path, target: Path) -> None:
    if target.exists():
        raise StoreError(f"{target}: exists: name a new file for the copy")
    create_file(target)
    try:
        source, copy = connector(path, read_mode(path))(), sqlite3.connect(target)
        with explained(path), closing(source), closing(copy):
            source.backup(copy)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
