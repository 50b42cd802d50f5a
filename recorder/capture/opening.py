"""Open tapes: what every kind of writer shares on the side that records."""

from __future__ import annotations

from abc import ABC, abstractmethod
from threading import Lock
from typing import Any

from recorder.capture.runs import this_run
from recorder.capture.tap import Happened, Order, Tape
from recorder.chain import SCHEME
from recorder.clock import Clock
from recorder.errors import RecorderError
from recorder.ids import session_id
from recorder.store.base import SessionRow

QUEUE_BYTES = 64 << 20


class TapeOpener(ABC):
    """Opens tapes and counts what they have queued. Subclasses say where an item goes."""

    def __init__(self, clock: Clock, limit: int = QUEUE_BYTES) -> None:
        self.run = this_run(clock)
        self.lock = Lock()
        self._clock, self._limit = clock, limit
        self._put_bytes = self._taken_bytes = 0
        self._tapes: dict[int, Tape] = {}
        self._numbers = 0

    def now_ns(self) -> int:
        """This moment, for what is kept until its tape is known."""
        return self._clock.now_ns()

    def open(self, provider: str, trial: str, **facts: Any) -> Tape:
        """A new session of `provider`, anchored now. Facts: model, external_id, parent, origin."""
        return self.open_since(self._clock.now_ns(), provider, trial, **facts)

    def open_since(self, began_ns: int, provider: str, trial: str, **facts: Any) -> Tape:
        """`open` for a session that began at an earlier moment."""
        wall = self._clock.wall_ns() - (self._clock.now_ns() - began_ns)
        row = SessionRow(session_id(wall), trial, provider, wall, SCHEME, self.run.id, **facts)
        return self._begin(row, began_ns, 0)

    def reopen(self, row: SessionRow, channels: int) -> Tape:
        """A session that ended (so it has `ended_ns`), to add what came later; its anchor and
        channels stay."""
        elapsed = self._clock.wall_ns() - row.wall_ns
        anchor = self._clock.now_ns() - max(elapsed, row.ended_ns or 0)
        fresh = row._replace(status="recording", run=self.run.id, events=None, digest=None)
        return self._begin(fresh, anchor, channels)

    @abstractmethod
    def put(self, item: Happened | Order, size: int) -> None:
        """Queue an item, under `lock`; never blocks. Shells look at `full` before they read on."""

    def check(self) -> None:
        """Raise what the first tape that could not be stored failed of."""
        for tape in self._tapes.values():
            if tape.failed:
                raise tape.failed

    @property
    def full(self) -> bool:
        """Whether the queue holds as much as it may."""
        return self._put_bytes - self._taken_bytes > self._limit

    def _begin(self, row: SessionRow, anchor: int, channels: int) -> Tape:
        with self.lock:
            self._numbers += 1
            ended = row.ended_ns or 0
            tape = Tape(self._numbers, row.id, self, self._clock, anchor, channels, ended)
            # those that have ended need nobody to tell them any more
            self._tapes = {
                key: open_ for key, open_ in self._tapes.items() if not open_.ended or open_.failed
            }
            self._tapes[tape.number] = tape
            self.put(Order(tape.number, "begin", row), 0)
        return tape

    def _failed(self, number: int, error: RecorderError) -> None:
        tape = self._tapes.get(number)
        if tape:
            tape.fail(error)
