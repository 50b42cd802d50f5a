"""New SQLite stores in no time: the file of one is made once in each process, and copied.

Making the schema takes 40 ms, and a process that makes it loads Alembic for half a second. The
tests of the store itself make each schema anew.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from recorder.store import files, open_store
from recorder.store.sql import SqlStore

_ROOM = "tests/recorder/store/"


class Copies:
    """Stands for `files.open_file`. What is copied is kept in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open = files.open_file

    def __call__(self, path: Path, *, create: bool, readonly: bool) -> SqlStore:
        """The store at `path`, copied if it is to be made, or the error of the file system."""
        is_own = os.environ.get("PYTEST_CURRENT_TEST", "").startswith(_ROOM)
        if create and not (readonly or is_own or path.exists()):
            self._copy(path)
        return self._open(path, create=create, readonly=readonly)

    def _copy(self, path: Path) -> None:
        copy = path.with_name(f".{path.name}.new")
        files.create_file(copy)
        shutil.copyfile(self._template(), copy)
        try:
            os.link(copy, path)  # whole, or not at all, also where two make it at once
        except FileExistsError:
            pass
        finally:
            copy.unlink()

    def _template(self) -> Path:
        path = self._folder / "empty.db"
        if not path.exists():
            self._open(path, create=True, readonly=False).close()
        return path


def empty_store(path: Path) -> Path:
    """A store without a session, for a process that is started on it."""
    open_store(str(path), create=True).close()
    return path
