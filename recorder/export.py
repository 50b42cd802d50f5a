"""A session as a folder for git: `session.json`, `events.jsonl`, `audio/` (docs/formats.md)."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from recorder.capture.encode import SealJob
from recorder.capture.importers.folder import AUDIO, DOCUMENT, EVENTS
from recorder.capture.importers.folder_document import Tape, audio_file, document, session_of
from recorder.capture.importers.folder_lines import event_line
from recorder.capture.sealing import lossless
from recorder.chain import genesis
from recorder.errors import RecorderError
from recorder.recording import current, rows_with_refs
from recorder.store.base import Sealed, SegmentRow, SessionRow, Store

_OURS = frozenset({DOCUMENT, EVENTS, AUDIO})


class ExportRefused(RecorderError):
    """The folder is not free, or the session is still being recorded."""


class Exported(NamedTuple):
    """What was written: `bytes` is the size of all files."""

    folder: Path
    events: int
    segments: int
    bytes: int


def export_session(store: Store, row: SessionRow, folder: Path, wall_ns: int) -> Exported:
    """Write a session that has ended, or whose recording died, as `folder`, whole or not at all.

    `wall_ns` is now. The folder must be missing, empty or an earlier export of the same session,
    which it replaces. The same session always gives the same bytes.
    """
    row = current(store, [row], wall_ns)[0]
    if row.status == "recording":
        raise ExportRefused(
            f"session {row.id} is still being recorded: export it when the recording has ended"
        )
    folder = folder.resolve()
    _check_place(folder, row.id)
    try:
        with _beside(folder) as made:
            exported = _write(store, row, made)
            _check_place(folder, row.id)
            _put_in_place(made, folder)
    except OSError as error:
        raise RecorderError(
            f"cannot write {folder} ({error.strerror}): name a folder on a disk with room, "
            "in a place you may write to"
        ) from error
    return exported._replace(folder=folder)


def _write(store: Store, row: SessionRow, folder: Path) -> Exported:
    (folder / AUDIO).mkdir()
    segments = [_write_audio(store, segment, folder) for segment in store.segments(row.id)]
    digest = genesis(row.scheme, row.id, row.provider, row.wall_ns)
    events = 0
    with open(folder / EVENTS, "w", encoding="utf-8", newline="\n") as file:
        for event, refs in rows_with_refs(store, row.id):
            file.write(event_line(event, refs) + "\n")
            events, digest = events + 1, event.digest
    whole = row._replace(
        ended_ns=row.ended_ns or 0,
        events=row.events if row.events is not None else events,
        digest=row.digest or digest,
    )
    text = document(Tape(whole, store.channels(row.id), segments))
    (folder / DOCUMENT).write_text(text, encoding="utf-8", newline="\n")
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return Exported(folder, events, len(segments), size)


def _write_audio(store: Store, row: SegmentRow, folder: Path) -> tuple[SegmentRow, Sealed]:
    """Write a segment's audio as stored, but whole: one that a crash left open is sealed here, and
    silence is written out."""
    sealed = store.sealed(row.session, row.number)
    if sealed is None or sealed.form == "constant":
        sealed = lossless(SealJob(row, store.audio(row.session, row.number)))
    (folder / audio_file(row, sealed.form)).write_bytes(sealed.data)
    return row, sealed._replace(data=b"")


def _check_place(folder: Path, session: str) -> None:
    """The folder is missing, empty, or holds an export of this session and nothing else."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ExportRefused(f"{folder} is a file: name a folder")
    names = {path.name for path in folder.iterdir()}
    if not names:
        return
    if DOCUMENT not in names or names - _OURS:
        other = min(names - _OURS or names)
        raise ExportRefused(f"{folder} holds other files ({other}): name a folder of its own")
    if _exported_id(folder / DOCUMENT) != session:
        raise ExportRefused(f"{folder} holds another session: name a folder of its own")


def _exported_id(path: Path) -> str | None:
    try:
        fields = json.loads(path.read_bytes())
        return session_of(fields) if isinstance(fields, dict) else None
    except ValueError:
        return None


@contextmanager
def _beside(folder: Path) -> Iterator[Path]:
    """A new folder on the same file system, gone afterwards unless it was moved."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        yield made
    finally:
        if made.exists():
            shutil.rmtree(made)


def _put_in_place(made: Path, folder: Path) -> None:
    if not folder.exists() or not any(folder.iterdir()):
        os.rename(made, folder)  # an empty folder gives way
        return
    earlier = made.with_name(f"{made.name}-earlier")
    os.rename(folder, earlier)
    try:
        os.rename(made, folder)
    except OSError:
        os.rename(earlier, folder)
        raise
    shutil.rmtree(earlier)
