"""Putting exchanges onto tapes: all of what belongs together in one transaction, or nothing.

So whatever moment the program is stopped at, the store tells what has been pulled and what not.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from recorder.audio.wav import wav_data
from recorder.capture.encode import Draft, Encoder
from recorder.capture.importers.conversation import Take
from recorder.capture.importers.exchange import Exchange
from recorder.capture.resume import recover, resume
from recorder.capture.runs import runs_by_id, status_now, this_run
from recorder.capture.sealing import seal
from recorder.chain import SCHEME
from recorder.clock import Clock
from recorder.errors import RecorderError
from recorder.ids import session_id
from recorder.providers.base import Provider
from recorder.redact import Redactor, Secrets, marker, redact_text
from recorder.store.base import ChannelRow, SessionRow, Store

ORIGIN = "pull"
_PIECE_BYTES = 256 << 10
_UNPACKED_BYTES = 256 << 20
_GZIP = b"\x1f\x8b"


class Unreadable(RecorderError):
    """A file that secrets cannot be looked for in, so that it is not stored."""


class Part(NamedTuple):
    """An exchange to be stored; `unpacked` says that its answer was a gzip file."""

    exchange: Exchange
    unpacked: bool = False


def part(exchange: Exchange) -> Part:
    """A file that was fetched: what is packed with gzip is unpacked, because secrets cannot be
    found in it. Unreadable if it cannot be."""
    if exchange.received[:2] != _GZIP:
        return Part(exchange)
    return Part(exchange._replace(received=_unpacked(exchange.received)), unpacked=True)


class Shelf:
    """The tapes of one provider in a store. One thread uses it."""

    def __init__(
        self, store: Store, clock: Clock, secrets: Secrets, provider: Provider, trial: str
    ) -> None:
        self.store = store
        self._clock, self._secrets, self._provider = clock, secrets, provider
        self._trial = trial
        recover(store, clock.wall_ns(), secrets)
        self._run = this_run(clock)
        store.put_run(self._run)
        self._rows = {
            row.external_id: row
            for row in store.sessions()
            if row.provider == provider.NAME and self._is_original(row)
        }

    def _is_original(self, row: SessionRow) -> bool:
        """Whether a session is a call's, or this trial's control traffic as it was pulled."""
        if row.external_id is None:
            return row.origin == ORIGIN and row.trial == self._trial
        return not row.is_copy

    def row(self, external_id: str | None) -> SessionRow | None:
        """The session of a call, or of the control traffic (None)."""
        return self._rows.get(external_id)

    def is_live(self, row: SessionRow) -> bool:
        """Whether another process records into a session now."""
        found = self.store.session(row.id) or row
        return status_now(found, runs_by_id(self.store), self._clock.wall_ns()) == "recording"

    @property
    def hides_words(self) -> bool:
        """Whether the words of a call are not stored."""
        return self._secrets.personal

    def clean(self, body: bytes) -> bytes:
        """A body as it would be stored."""
        return self._redactor().redact(0, "provider", "http.chunk", "", body)

    def text(self, text: str) -> str:
        """A line to be shown, without secrets."""
        return redact_text(self._secrets, text)

    def marker(self, text: str) -> str:
        """What is stored in the place of a secret."""
        return marker(self._secrets, text)

    def put(self, external_id: str | None, parts: Sequence[Part]) -> None:
        """Add exchanges to a session, a new one if there is none. SecretLeft or StoreError leaves
        it as it was. One that is added to stays that of the run that recorded it."""
        draft = Draft()
        asked_ns = parts[0].exchange.asked_ns
        began_ns = self._clock.wall_ns() - (self._clock.now_ns() - asked_ns)
        known = self._rows.get(external_id)
        redactor = self._redactor()
        if known is None:
            encoder = self._begun(external_id, began_ns, redactor, draft)
            number = 0
        else:
            row = self.store.session(known.id) or known
            taken_up = row._replace(status="recording", events=None, digest=None)
            encoder = resume(self.store, taken_up, self._provider.tracker(), redactor)
            encoder.begin(draft)
            number = max((one.channel for one in self.store.channels(row.id)), default=0)
        start_ns = max(began_ns - encoder.row.wall_ns, encoder.at_ns) - asked_ns
        for channel, one in enumerate(parts, number + 1):
            target = redact_text(self._secrets, one.exchange.request.path)
            encoder.channel(ChannelRow(encoder.row.id, channel, "http", target), draft)
            for take in _takes(one, channel, start_ns):
                encoder.add(*take, draft)
        holed = known is not None and known.status in ("interrupted", "incomplete")
        encoder.finish(known.status if known and holed else "complete", draft)
        draft.batch.sealed = [seal(job) for job in draft.jobs]
        self.store.commit(draft.batch)
        self._rows[external_id] = encoder.row

    def close(self) -> None:
        """The run has ended."""
        wall = self._clock.wall_ns()
        self.store.put_run(self._run._replace(beat_ns=wall, ended_ns=wall))

    def _redactor(self) -> Redactor:
        return Redactor(self._secrets, self._provider.PERSONAL)

    def _begun(
        self, external_id: str | None, wall_ns: int, redactor: Redactor, draft: Draft
    ) -> Encoder:
        row = SessionRow(
            session_id(wall_ns),
            self._trial,
            self._provider.NAME,
            wall_ns,
            SCHEME,
            self._run.id,
            external_id=external_id,
            origin=ORIGIN,
        )
        encoder = Encoder(row, self._provider.tracker(), redactor)
        encoder.begin(draft)
        return encoder


def _takes(one: Part, channel: int, start_ns: int) -> Iterator[Take]:
    """The events of an exchange. A WAV comes in pieces of whole frames, the header by itself, so
    that a long one is kept in segments of the usual size."""
    for take in one.exchange.takes(channel, start_ns):
        if take.kind == "http.chunk" and take.sender == "provider":
            for piece in _pieces(take.body):
                yield take._replace(body=piece)
        else:
            yield take
    if one.unpacked:
        told = {"message": "the file was packed with gzip and is kept unpacked"}
        at_ns = start_ns + one.exchange.ended_ns
        yield Take(at_ns, channel, "recorder", "note", "unpacked", json.dumps(told).encode())


def _pieces(body: bytes) -> Iterator[bytes]:
    found = wav_data(body[:_PIECE_BYTES])
    if found is None:
        yield body
        return
    yield body[: found.start]
    for at in range(found.start, len(body), _PIECE_BYTES):
        yield body[at : at + _PIECE_BYTES]


def _unpacked(body: bytes) -> bytes:
    """The content of a gzip file, in which secrets can be found; Unreadable for what cannot be
    unpacked, or is more than 256 MiB."""
    found = b""
    while body:
        inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            found += inflate.decompress(body, _UNPACKED_BYTES + 1 - len(found))
        except zlib.error as error:
            raise Unreadable(f"a gzip file cannot be unpacked: {error}") from None
        if len(found) > _UNPACKED_BYTES:
            raise Unreadable(f"a gzip file has more than {_UNPACKED_BYTES >> 20} MiB")
        if not inflate.eof:
            raise Unreadable("a gzip file cannot be unpacked: it is cut off")
        body = inflate.unused_data
    return found
