"""The writer in this process: one bounded queue, one thread. For programs that record themselves.

The proxy uses `process.WriterProcess`, which keeps the interpreter lock of storing away from the
loop that passes messages on.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from threading import Condition, Event, Thread

from recorder.capture.ledger import BATCH_BYTES, BATCH_ITEMS, OVERHEAD, Ledger, OnFailure
from recorder.capture.opening import QUEUE_BYTES, TapeOpener
from recorder.capture.tap import Happened, Order
from recorder.clock import Clock
from recorder.errors import StoreError
from recorder.redact import Secrets
from recorder.store.base import RunRow, Store


class Writer(TapeOpener):
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
        super().__init__(clock, limit)
        self._ledger = Ledger(store, clock, secrets, on_failure, self._failed)
        self._queue: deque[tuple[Iterable[Happened | Order] | Event, int]] = deque()
        self._changed = Condition()
        self._closing = self._idle = self._ended = False
        self._in_order = True
        self._thread = Thread(target=self._work, name="recorder-writer", daemon=True)

    def start(self, run: RunRow | None = None) -> list[str]:
        """Begin, for `run` if that is another process; returns the sessions of dead runs that
        were ended as interrupted."""
        ended = self._ledger.start(run or self.run)
        self._thread.start()
        return ended

    def put(self, item: Happened | Order, size: int) -> None:
        self._add((item,), size + OVERHEAD)

    def put_all(self, items: Iterable[Happened | Order], size: int) -> None:
        """Queue several items at once, under `lock`; `size` counts their overhead too. They are
        read later, on the writer's thread."""
        self._add(items, size)

    def wait_room(self) -> None:
        """Block until the queue is half empty or the writer has ended."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._ended or self._put_bytes - self._taken_bytes <= self._limit // 2
            )

    async def room(self) -> None:
        """`wait_room` for a coroutine."""
        await asyncio.to_thread(self.wait_room)

    def flush(self) -> None:
        """Block until everything queued before this call is committed (or has failed)."""
        done = Event()
        with self.lock:
            self._add(done, 0)
        while not done.wait(0.5):
            if self._ended and not done.is_set():
                raise StoreError("the writer has ended before everything was stored")

    async def drained(self) -> None:
        """`flush` for a coroutine."""
        await asyncio.to_thread(self.flush)

    def close(self, *, in_order: bool = True) -> None:
        """Drain, end every open session, seal, and mark the run as ended. Not `in_order`: only
        drain, because whoever records has died."""
        self._in_order = in_order
        for tape in list(self._tapes.values()):
            tape.end()
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()

    def _add(self, items: Iterable[Happened | Order] | Event, size: int) -> None:
        self._queue.append((items, size))
        self._put_bytes += size
        if self._idle:
            with self._changed:
                self._changed.notify_all()

    def _work(self) -> None:
        try:
            self._write_all()
        except BaseException as error:
            self._fell(StoreError(f"the writer has stopped: {error!r}"))
            raise
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _fell(self, error: StoreError) -> None:
        """Nothing can be stored any more: every tape fails."""
        for tape in list(self._tapes.values()):
            tape.fail(error)

    def _write_all(self) -> None:
        queue = self._queue
        while queue or not self._closing or self._ledger.pending:
            if not queue and not self._ledger.pending:
                self._wait()
            items, waiters = self._take()
            self._ledger.write(items, more=bool(queue) and not waiters)
            for waiter in waiters:
                waiter.set()
        if self._in_order:
            self._ledger.finish()

    def _take(self) -> tuple[list[Happened | Order], list[Event]]:
        queue = self._queue
        items: list[Happened | Order] = []
        waiters: list[Event] = []
        taken = 0
        while queue and taken < BATCH_BYTES and len(items) < BATCH_ITEMS and not waiters:
            fresh, size = queue.popleft()
            taken += size
            if isinstance(fresh, Event):
                waiters.append(fresh)
            else:
                items.extend(fresh)
        with self._changed:
            self._taken_bytes += taken
            self._changed.notify_all()
        return items, waiters

    def _wait(self) -> None:
        with self._changed:
            self._idle = True
            self._changed.wait_for(
                lambda: bool(self._queue) or self._closing, timeout=self._ledger.beat_in_s()
            )
            self._idle = False
