"""The writer: one bounded queue, one thread, one transaction for whatever is waiting.

While a batch is being prepared (secrets, audio, digests), the audio of the batch before it is
encoded on a second thread, which holds no interpreter lock; then that batch is committed. An
idle writer commits a single message at once. What cannot be stored ends the tapes concerned
(`end`) or leaves a marked hole in them (`pass`).
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Condition, Event, Lock, Thread
from typing import Any, Literal

from recorder.capture.encode import Draft
from recorder.capture.live import LiveTape
from recorder.capture.resume import recover
from recorder.capture.runs import BEAT_NS, this_run
from recorder.capture.sealing import seal
from recorder.capture.tap import Happened, Order, Tape
from recorder.chain import SCHEME
from recorder.clock import Clock
from recorder.errors import RecorderError, StoreError
from recorder.ids import session_id
from recorder.providers import PROVIDERS
from recorder.providers.base import Tracker
from recorder.redact import Redactor, Secrets
from recorder.store.base import Sealed, SessionRow, Store

QUEUE_BYTES = 64 << 20
_BATCH_BYTES = 4 << 20
_BATCH_ITEMS = 2000
_OVERHEAD = 200  # bytes that a queued item takes beside its body
OnFailure = Literal["end", "pass"]
_Item = Happened | Order | Event
log = logging.getLogger("recorder.writer")


@dataclass
class _Pending:
    draft: Draft
    seals: list[Future[Sealed]]
    tapes: set[LiveTape]
    waiters: list[Event]
    given_up: bool = False


class Writer:
    """Owns the writing side of a store. Start it, open tapes, close it."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        secrets: Secrets,
        *,
        on_failure: OnFailure = "end",
        limit: int = QUEUE_BYTES,
    ) -> None:
        self.run = this_run(clock)
        self.on_failure = on_failure
        self._store, self._clock, self._secrets, self._limit = store, clock, secrets, limit
        self._queue: deque[_Item] = deque()
        self.lock = Lock()
        self._put_bytes = self._taken_bytes = 0
        self._changed = Condition()
        self._closing = False
        self._live: dict[Tape, LiveTape] = {}
        self._pool = ThreadPoolExecutor(1, "recorder-seal")
        self._thread = Thread(target=self._work, name="recorder-writer", daemon=True)
        self._beat_at = clock.now_ns() + BEAT_NS
        self._idle = False

    def start(self) -> list[str]:
        """Begin; returns the sessions of dead runs that were ended as interrupted."""
        provider = next(iter(PROVIDERS.values()))
        redactor = Redactor(self._secrets)
        ended = recover(self._store, self._clock.wall_ns(), provider.tracker(), redactor)
        self._store.put_run(self.run)
        self._thread.start()
        return ended

    def open(self, provider: str, trial: str, **facts: Any) -> Tape:
        """A new session of `provider`, anchored now. Facts: model, external_id, parent, origin."""
        wall = self._clock.wall_ns()
        row = SessionRow(session_id(wall), trial, provider, wall, SCHEME, self.run.id, **facts)
        return self._open(row, PROVIDERS[provider].tracker(), self._clock.now_ns(), 0)

    def reopen(self, row: SessionRow) -> Tape:
        """A session that ended, to add what came later; its anchor stays."""
        elapsed = self._clock.wall_ns() - row.wall_ns
        anchor = self._clock.now_ns() - max(elapsed, row.ended_ns or 0)
        channels = len(self._store.channels(row.id))
        fresh = row._replace(status="recording", run=self.run.id, events=None, digest=None)
        return self._open(fresh, PROVIDERS[row.provider].tracker(), anchor, channels)

    def put(self, item: _Item) -> None:
        """Queue an item, under `lock`; never blocks. Shells look at `full` before they read on."""
        self._queue.append(item)
        self._put_bytes += _size(item)
        if self._idle:
            with self._changed:
                self._changed.notify_all()

    @property
    def full(self) -> bool:
        """Whether the queue holds as much as it may."""
        return self._put_bytes - self._taken_bytes > self._limit

    def wait_room(self) -> None:
        """Block until the queue is half empty or the writer has ended."""
        with self._changed:
            self._changed.wait_for(
                lambda: (
                    self._put_bytes - self._taken_bytes <= self._limit // 2
                    or not self._thread.is_alive()
                )
            )

    def flush(self) -> None:
        """Block until everything queued before this call is committed (or has failed)."""
        done = Event()
        with self.lock:
            self.put(done)
        while not done.wait(0.5):
            if not self._thread.is_alive():
                raise StoreError("the writer has ended before everything was stored")

    def close(self) -> None:
        """Drain, end every open session, seal, and mark the run as ended."""
        for tape in list(self._live):
            tape.end()
        self._closing = True
        with self._changed:
            self._changed.notify_all()
        self._thread.join()
        self._pool.shutdown()

    def _open(self, row: SessionRow, tracker: Tracker, anchor: int, channels: int) -> Tape:
        tape = Tape(row.id, self, self._clock, anchor)
        tape.count_from(channels)
        self._live[tape] = LiveTape(tape, row, tracker, self._secrets, self._store)
        with self.lock:
            self.put(Order(tape, "begin"))
        return tape

    def _work(self) -> None:
        pending: _Pending | None = None
        while pending or self._queue or not self._closing:
            if not self._queue and pending is None:
                self._wait()
            fresh = self._prepare(self._take()) if self._queue else None
            if pending:
                self._commit(pending, fresh)
            pending = fresh
            if pending and not self._queue:
                self._commit(pending, None)
                pending = None
            self._keep_house()
        self._finish()

    def _take(self) -> list[_Item]:
        queue = self._queue
        items: list[_Item] = []
        taken = 0
        while queue and taken < _BATCH_BYTES and len(items) < _BATCH_ITEMS:
            item = queue.popleft()
            items.append(item)
            taken += _size(item)
        with self._changed:
            self._taken_bytes += taken
            self._changed.notify_all()
        return items

    def _wait(self) -> None:
        left = (self._beat_at - self._clock.now_ns()) / 1e9
        with self._changed:
            self._idle = True
            self._changed.wait_for(lambda: bool(self._queue) or self._closing, timeout=max(left, 0))
            self._idle = False

    def _prepare(self, items: list[_Item]) -> _Pending:
        draft = Draft()
        tapes: set[LiveTape] = set()
        waiters: list[Event] = []
        for item in items:
            if isinstance(item, Event):
                waiters.append(item)
                continue
            live = self._live.get(item.tape)
            if live:
                tapes.add(live)
                live.take(item, draft)
        for live in tapes:
            live.flush(draft)
        seals = [self._pool.submit(seal, job) for job in draft.jobs]
        return _Pending(draft, seals, tapes, waiters)

    def _commit(self, pending: _Pending, behind: _Pending | None) -> None:
        """Commit. On failure what was prepared behind it is given up too: it builds on it."""
        try:
            if not pending.given_up:
                pending.draft.batch.sealed = [future.result() for future in pending.seals]
                self._store.commit(pending.draft.batch)
        except RecorderError as error:
            log.error("%s", error)
            for live in pending.tapes | (behind.tapes if behind else set()):
                live.break_off(error, goes_on=self.on_failure == "pass")
            if behind:
                behind.given_up = True
        for live in pending.tapes:
            if live.over:
                self._live.pop(live.tape, None)
        for waiter in pending.waiters:
            waiter.set()

    def _keep_house(self) -> None:
        self._try(self._store.maintain)
        now = self._clock.now_ns()
        if now >= self._beat_at:
            self._beat_at = now + BEAT_NS
            self._beat(None)
            self._mend()

    def _beat(self, ended_ns: int | None) -> None:
        self.run = self.run._replace(beat_ns=self._clock.wall_ns(), ended_ns=ended_ns)
        self._try(lambda: self._store.put_run(self.run))

    def _mend(self) -> None:
        for live in [live for live in self._live.values() if live.broken]:
            self._try(live.mend)
            if live.over:
                self._live.pop(live.tape, None)

    def _try(self, action: Callable[[], None]) -> None:
        """Housekeeping may fail while the store is out of reach; it is tried again later."""
        try:
            action()
        except StoreError as error:
            log.warning("%s", error)

    def _finish(self) -> None:
        self._mend()
        self._beat(self._clock.wall_ns())
        with self._changed:
            self._changed.notify_all()


def _size(item: _Item) -> int:
    """What an item takes in the queue."""
    return len(item.body) + _OVERHEAD if isinstance(item, Happened) else _OVERHEAD
