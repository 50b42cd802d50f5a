"""A store as a file: opened, described, copied and upgraded."""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from recorder.errors import StoreError
from recorder.store.opening import REVISION, other_revision, revision_of
from recorder.store.sql import SqlStore
from recorder.store.sqlite import (
    Mode,
    Readers,
    connector,
    create_file,
    explained,
    sqlite_path,
    wal_bytes,
    writable,
)


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


_TABLES = """
SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'
"""
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
    with ExitStack() as undone:
        readers = undone.enter_context(closing(_readers(path)))
        found = _revision(readers, path)
        if found is None and (readonly or not create):
            raise StoreError(f"{path}: an empty file, no store: name another with --store")
        if found is not None and found != REVISION:
            raise _unfit(path, found)
        db = None if readonly else _writer(path, is_new=found is None)
        undone.pop_all()
    return SqlStore(path, readers, db)


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
    with closing(_readers(path)) as readers, explained(path), readers.reading() as db:
        size, pages, free = (
            int(db.execute(f"PRAGMA {name}").fetchone()[0])
            for name in ("page_size", "page_count", "freelist_count")
        )
        facts = db.execute(FACTS).fetchone()
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
    with closing(_readers(path)) as readers:
        found = _revision(readers, path)
    if found is None:
        raise StoreError(f"{path}: an empty file, no store: name another with --store")
    return found


def _revision(readers: Readers, path: Path) -> str | None:
    """The revision a file is at; None for an empty one."""
    with explained(path), readers.reading() as db:
        return revision_of([name for (name,) in db.execute(_TABLES)], db.execute, path)


def _unfit(path: Path, found: str) -> StoreError:
    return other_revision(path, found, f"`record db upgrade --store {path}`, which keeps a copy")


def _readers(path: Path) -> Readers:
    """Connections that never write, to a file that must be there."""
    if path.is_dir():
        raise StoreError(f"{path}: a folder: name a file in it with --store")
    if not path.exists():
        raise StoreError(
            f"{path}: no such store: `record proxy --store {path}` makes one,"
            " or name another with --store"
        )
    return Readers(path, read_mode(path))


def read_mode(path: Path) -> Mode:
    """`immutable` for a store closed in order in a folder where its -shm file cannot be made."""
    return "ro" if writable(path.absolute().parent) or wal_bytes(path) else "immutable"


def _writer(path: Path, *, is_new: bool) -> sqlite3.Connection:
    """The connection that writes, to a file that is filled if it is new."""
    _check_writable(path)
    if is_new:
        path.chmod(0o600)
        _migrate(path)
    with explained(path):
        return connector(path, "rw")()


def _check_writable(path: Path) -> None:
    if not writable(path) or not writable(path.absolute().parent):
        raise StoreError(
            f"{path}: read-only: make the file and its folder writable, or name another file"
            " with --store"
        )


def _migrate(path: Path) -> None:
    """Make the schema, or bring it to this program's; nothing is left to do if another process did
    while this one waited."""
    from recorder.store import engine
    from recorder.store.migrate import migrate  # loads Alembic

    with (
        engine.disposed(engine.open_engine(path, "rw")) as writer,
        engine.explained(path),
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
