"""Which tapes a sweep plays: folders of exports, a database, or a trial of the store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from recorder.clock import Clock
from recorder.errors import RecorderError
from recorder.store import open_store
from recorder.store.base import SessionRow, Store
from replay.kept import Kept, is_rest, is_tape, read_kept, tapes_in


class Source(NamedTuple):
    """A tape to be played: its name in the report, and how to read it (RecorderError if not)."""

    name: str
    read: Callable[[], Kept]


def find_sources(
    named: str, store_url: str, clock: Clock, environ: Mapping[str, str], stack: ExitStack
) -> list[Source]:
    """The tapes that `named` stands for. `stack` closes the store that they are read from.

    RecorderError if there are none.
    """
    path = Path(named)
    if path.is_dir():
        return _folders(path, clock, environ)
    url, trial = (named, None) if path.is_file() else (store_url, named)
    try:
        store = open_store(url, create=False, readonly=True)
    except RecorderError as error:
        if trial is None:
            raise
        raise RecorderError(f"{named!r} is no folder, and no trial: {error}") from None
    stack.callback(store.close)
    return _sessions(store, trial, url)


def _folders(folder: Path, clock: Clock, environ: Mapping[str, str]) -> list[Source]:
    found = [folder] if is_tape(folder) else tapes_in(folder)
    if not found:
        raise RecorderError(
            f"{folder} has no tapes: name a folder of folders made by `record export`"
        )
    return [Source(each.name, _reader(each, clock, environ)) for each in found]


def _reader(folder: Path, clock: Clock, environ: Mapping[str, str]) -> Callable[[], Kept]:
    return lambda: read_kept(folder, clock, environ)


def _sessions(store: Store, trial: str | None, url: str) -> list[Source]:
    rows = store.sessions()
    fitting = [row for row in rows if row.origin != "replay" and trial in (None, row.trial)]
    found = [row for row in fitting if not _is_control(store, row, fitting)]
    if found:
        return [Source(row.id, _kept(store, row)) for row in found]
    if trial is None:
        raise RecorderError(f"{url} has no sessions but replays: record some with `record proxy`")
    trials = ", ".join(sorted({row.trial for row in rows})) or "none"
    raise RecorderError(
        f"{trial!r} is no folder, and the store has no trial of that name: it has {trials}"
    )


def _kept(store: Store, row: SessionRow) -> Callable[[], Kept]:
    return lambda: Kept(store, row)


def _is_control(store: Store, row: SessionRow, rows: Iterable[SessionRow]) -> bool:
    """Whether a session is the REST traffic beside others, which are played with it."""
    if row.external_id is not None or not is_rest(store, row):
        return False
    return any(
        (other.run, other.provider) == (row.run, row.provider) and other.id != row.id
        for other in rows
    )
