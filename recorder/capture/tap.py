"""`Tape`: the handle of one session that is being recorded. It stamps and queues, nothing more."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any, Literal, NamedTuple, Protocol

from recorder.clock import Clock
from recorder.errors import RecorderError
from recorder.events import Kind, Sender
from recorder.store.base import ChannelKind, Status

# One event on its way to the writer: tape, at_ns, channel, sender, kind, type, body.
Happened = tuple[int, int, int, Sender, Kind, str, bytes]


class Order(NamedTuple):
    """A change of the session itself on its way to the writer, in order with its events."""

    tape: int
    action: Literal["begin", "channel", "end_channel", "learn", "end"]
    value: Any = None


class Sink(Protocol):
    """Where a tape's events go; see `writer.Writer` and `process.WriterProcess`."""

    lock: Lock  # held while an event is stamped and queued, so that the two orders agree

    def put(self, item: Happened | Order, size: int) -> None:
        """Queue an item whose body has `size` bytes; never blocks."""
        ...


class Tape:
    """One session being recorded. Safe to use from any thread; never blocks.

    `number` names it to its writer. `failed` is set when its events cannot be stored, and
    `on_failure` is then called once, on whatever thread found out.
    """

    def __init__(
        self,
        number: int,
        session: str,
        sink: Sink,
        clock: Clock,
        anchor_ns: int,
        channels: int = 0,
        ended_ns: int = 0,
    ) -> None:
        self.number = number
        self.session = session
        self.failed: RecorderError | None = None
        self.ended = False
        self.on_failure: Callable[[RecorderError], None] | None = None
        self._put = sink.put
        self._now = clock.now_ns
        self._anchor = anchor_ns
        self._lock = sink.lock
        self._channels = channels
        self._floor = ended_ns

    def channel(self, kind: ChannelKind, target: str) -> int:
        """Open a channel and return its number (from 1)."""
        with self._lock:
            self._channels += 1
            number = self._channels
            self._put(Order(self.number, "channel", (number, kind, target)), 0)
        return number

    def record(self, channel: int, sender: Sender, kind: Kind, type_: str, body: bytes) -> None:
        """Stamp one event with the moment of this call and queue it."""
        with self._lock:
            at_ns = self._now() - self._anchor
            self._put((self.number, at_ns, channel, sender, kind, type_, body), len(body))

    def record_late(
        self, moment_ns: int, channel: int, sender: Sender, kind: Kind, type_: str, body: bytes
    ) -> None:
        """Queue one event of an earlier moment (`TapeOpener.now_ns` of then), which was kept until
        its tape was known. It is never before the end of what the store has."""
        with self._lock:
            at_ns = max(moment_ns - self._anchor, self._floor)
            self._put((self.number, at_ns, channel, sender, kind, type_, body), len(body))

    def end_channel(self, channel: int) -> None:
        """Say that nothing more comes on a channel."""
        self._order("end_channel", channel)

    def learn(self, **facts: str) -> None:
        """Tell facts of the session: external_id, model."""
        self._order("learn", facts)

    def end(self, status: Status = "complete") -> None:
        """End the session; its audio is sealed and its digest written."""
        if not self.ended:
            self.ended = True
            self._order("end", status)

    def fail(self, error: RecorderError) -> None:
        """Called by the writer when this tape can no longer be written."""
        if self.failed is None:
            self.failed = error
            if self.on_failure:
                self.on_failure(error)

    def _order(self, action: Literal["end_channel", "learn", "end"], value: Any) -> None:
        with self._lock:
            self._put(Order(self.number, action, value), 0)
