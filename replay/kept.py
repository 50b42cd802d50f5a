"""Tapes that are kept as folders, such as in a repository: read into memory to be played.

A folder is one that `record export` makes. The REST traffic of its run, which is a tape of its own
(client secrets, for instance), is kept beside it, in a folder of the same name and `.rest`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from recorder.capture.importers.folder import DOCUMENT, read_document, take_in_folder
from recorder.capture.secrets import store_secrets
from recorder.clock import Clock
from recorder.recording import Recording
from recorder.store.base import SessionRow, Store
from recorder.store.memory import MemoryStore

REST = ".rest"


class Kept(NamedTuple):
    """A tape in a store. `beside` are the sessions with its REST traffic, None for those of its
    run; `path` is its folder, if it has one."""

    store: Store
    row: SessionRow
    beside: list[SessionRow] | None = None
    path: Path | None = None


def read_kept(folder: Path, clock: Clock, environ: Mapping[str, str]) -> Kept:
    """Read a folder, proved to be unchanged. ImportFailed if it is no tape or was changed,
    SecretLeft if a credential of `environ` stands in it."""
    store = MemoryStore()
    secrets = store_secrets(store, environ)
    rows = [
        take_in_folder(store, clock, secrets, each, read_document(each)).row
        for each in (folder, rest_of(folder))
        if each == folder or is_tape(each)
    ]
    return Kept(store, rows[0], rows[1:], folder)


def rest_of(folder: Path) -> Path:
    """Where the REST traffic beside a tape is kept."""
    return folder.with_name(folder.name + REST)


def is_tape(folder: Path) -> bool:
    """Whether a folder looks like a tape."""
    return (folder / DOCUMENT).is_file()


def tapes_in(folder: Path) -> list[Path]:
    """The tapes in a folder, by name; with every other folder in it that has files, for it may be a
    tape that has lost its document."""
    found = (each for each in folder.glob("*/") if _has_files(each))
    return sorted(each for each in found if not each.name.startswith(".") and each.suffix != REST)


def _has_files(folder: Path) -> bool:
    return any(not each.is_dir() for each in folder.rglob("*"))


def is_rest(store: Store, row: SessionRow) -> bool:
    """Whether a session has no WebSocket."""
    kinds = {channel.kind for channel in Recording(store, row.id).channels()}
    return kinds <= {"http", "webhook"}
