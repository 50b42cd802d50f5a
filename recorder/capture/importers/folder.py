"""Reading an exported tape back: the same session, proved to be unchanged before it is stored."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from recorder.capture.encode import SecretLeft
from recorder.capture.importers.folder_document import Tape, audio_file, parse_document
from recorder.capture.importers.folder_lines import Line, parse_line
from recorder.capture.runs import this_run
from recorder.chain import genesis, link
from recorder.clock import Clock
from recorder.errors import ImportFailed, RecorderError
from recorder.events import Event
from recorder.redact import Redactor, Secrets
from recorder.spans import Span, restore
from recorder.store.base import (
    AudioRef,
    Batch,
    EventRow,
    Sealed,
    SegmentRow,
    SessionRow,
    Store,
    stored_body,
)
from recorder.store.segments import wire_bytes

DOCUMENT = "session.json"
EVENTS = "events.jsonl"
AUDIO = "audio"
_CACHE_BYTES = 16 << 20  # decoded audio that is kept while events are checked


class TakenIn(NamedTuple):
    """A session that was imported, or that the store had already (`fresh` is False)."""

    row: SessionRow
    fresh: bool


def take_in_folder(
    store: Store, clock: Clock, secrets: Secrets, folder: Path, tape: Tape
) -> TakenIn:
    """Store the tape in `folder`, whose document is `tape`, under its own id, once.

    ImportFailed names the first event or segment that is not as it was exported, and refuses an
    id that the store knows with another digest.
    """
    stored = store.session(tape.row.id)
    if stored is not None:
        if _digest(store, stored) != tape.row.digest:
            raise ImportFailed(
                f"{folder}: the store has session {stored.id} with other content: "
                "import into another store (--store)"
            )
        return TakenIn(stored, fresh=False)
    batch = read_folder(folder, tape, Redactor(secrets))
    run = this_run(clock)
    batch.sessions = [tape.row._replace(run=run.id)]
    store.commit(batch)
    store.put_run(run._replace(beat_ns=clock.wall_ns(), ended_ns=clock.wall_ns()))
    return TakenIn(batch.sessions[0], fresh=True)


def read_folder(folder: Path, tape: Tape, redactor: Redactor) -> Batch:
    """All of a tape but its session row, checked against the digests in it."""
    batch = Batch(channels=tape.channels, segments=[row for row, _ in tape.segments])
    batch.sealed = [_sealed(folder, row, sealed) for row, sealed in tape.segments]
    audio = _Audio(folder, batch.segments, batch.sealed)
    label = tape.row
    digest = genesis(label.scheme, label.id, label.provider, label.wall_ns)
    channels = {row.channel for row in tape.channels}
    for number, (row, refs) in _events(folder, label.id):
        if row.seq != number:
            raise _changed(folder, number, f"is lost or moved: event {row.seq} stands there")
        if row.channel not in channels:
            raise _changed(folder, number, f"is on channel {row.channel}, which is not there")
        event = _event(folder, row, refs, audio)
        digest = link(digest, *event[1:])
        if digest != row.digest:
            also = ", or the session's provider or start," if number == 1 else ""
            raise _changed(folder, number, f"({row.sender} {row.type or row.kind}){also} differs")
        place = redactor.leftover(stored_body(row))
        if place is not None:
            raise SecretLeft(f"{folder}: event {number} has a secret at {place}; it is not stored")
        batch.events.append(row)
        batch.refs += refs
    _check_end(folder, label, len(batch.events), digest)
    audio.check_all()
    return batch


def _changed(folder: Path, number: int, what: str) -> ImportFailed:
    return ImportFailed(
        f"{folder / EVENTS} line {number}: event {number} {what}; "
        "restore the folder as it was exported (nothing was imported)"
    )


def _check_end(folder: Path, row: SessionRow, events: int, digest: bytes) -> None:
    if row.events is not None and events < row.events:
        raise _changed(folder, events + 1, f"is lost: the session had {row.events}")
    if events != row.events:
        raise _changed(folder, events, f"was added: the session had {row.events}")
    if digest != row.digest:
        raise ImportFailed(
            f"{folder / DOCUMENT}: its digest is not that of its events; "
            "restore the folder as it was exported (nothing was imported)"
        )


def read_document(folder: Path) -> Tape:
    """What `session.json` tells; ImportFailed if the folder is no export."""
    path = folder / DOCUMENT
    if not path.exists():
        raise ImportFailed(
            f"{folder} has no {DOCUMENT}: name a folder made by `record export`, or a file"
        )
    try:
        return parse_document(_read(folder, DOCUMENT).decode())
    except ValueError as error:
        raise ImportFailed(
            f"{path}: {error}; restore it as it was exported (nothing was imported)"
        ) from None


def _read(folder: Path, name: str) -> bytes:
    """A file of the folder: a plain file, not a link that leads elsewhere."""
    path = folder / name
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise ImportFailed(f"{path} is not a plain file: restore it as it was exported")
            return file.read()
    except OSError as error:
        raise ImportFailed(
            f"{path} cannot be read ({error.strerror}): restore it as it was exported"
        ) from error


def _events(folder: Path, session: str) -> Iterator[tuple[int, Line]]:
    lines = _read(folder, EVENTS).split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    for number, line in enumerate(lines, 1):
        try:
            yield number, parse_line(session, line.decode())
        except ValueError as error:
            raise _changed(folder, number, f"cannot be read ({error})") from None


def _event(folder: Path, row: EventRow, refs: list[AudioRef], audio: _Audio) -> Event:
    lifted = stored_body(row)
    spans = [Span(ref.at, ref.encoding, audio.slice(row.seq, ref)) for ref in refs]
    offsets = [0, *(span.at for span in spans), len(lifted)]
    if offsets != sorted(offsets):
        raise _changed(folder, row.seq, "has its audio at places that are not in it")
    body = restore(lifted, spans)
    return Event(row.session, row.seq, row.at_ns, row.channel, row.sender, row.kind, row.type, body)


def _sealed(folder: Path, row: SegmentRow, sealed: Sealed) -> Sealed:
    return sealed._replace(data=_read(folder, audio_file(row, sealed.form)))


def _digest(store: Store, row: SessionRow) -> bytes | None:
    """The digest of a stored session, also of one that was never ended."""
    if row.digest is not None:
        return row.digest
    count = store.count(row.id)
    last = next(iter(store.events(row.id, after=count - 1)), None) if count else None
    return last.digest if last else None


class _Audio:
    """The wire bytes of each segment, checked when first decoded; the latest are kept."""

    def __init__(self, folder: Path, rows: list[SegmentRow], sealed: list[Sealed]) -> None:
        self._folder = folder
        self._segments = {row.number: (row, each) for row, each in zip(rows, sealed, strict=True)}
        self._checked: set[int] = set()
        self._held: dict[int, bytes] = {}

    def slice(self, seq: int, ref: AudioRef) -> bytes:
        """The bytes that an event refers to."""
        if ref.segment not in self._segments:
            raise _changed(self._folder, seq, f"needs segment {ref.segment}, which is not there")
        data = self._bytes(ref.segment)
        if ref.start + ref.length > len(data):
            raise _changed(self._folder, seq, f"needs more than segment {ref.segment} has")
        return data[ref.start : ref.start + ref.length]

    def check_all(self) -> None:
        """Check the segments that no event refers to."""
        for number in self._segments.keys() - self._checked:
            self._bytes(number)

    def _bytes(self, number: int) -> bytes:
        data = self._held.pop(number, None)
        if data is None:
            data = self._decode(number)
        self._held[number] = data
        while len(self._held) > 1 and sum(map(len, self._held.values())) > _CACHE_BYTES:
            del self._held[next(iter(self._held))]
        return data

    def _decode(self, number: int) -> bytes:
        row, sealed = self._segments[number]
        what = f"{self._folder / audio_file(row, sealed.form)}: segment {number}"
        restore_it = "restore the folder as it was exported (nothing was imported)"
        try:
            data = wire_bytes(sealed, row.channels)
        except RecorderError as error:
            raise ImportFailed(f"{what} was changed: {error}; {restore_it}") from error
        if len(data) != sealed.size or sha256(data).digest() != sealed.sha256:
            raise ImportFailed(f"{what} is not as it was recorded; {restore_it}")
        self._checked.add(number)
        return data
