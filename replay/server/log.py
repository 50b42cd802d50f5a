"""Where a server writes down what passes: a tape that is being recorded, or nowhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from recorder.capture.tap import Tape
from recorder.events import Kind, Sender
from recorder.heads import RequestHead
from recorder.store.base import ChannelKind


class Queued(Protocol):
    """The part of a writer that tells whether it keeps up."""

    @property
    def full(self) -> bool:
        """Whether its queue holds as much as it may."""
        ...

    async def room(self) -> None:
        """Wait until there is room."""
        ...


class ChannelLog:
    """One channel of a tape; without a tape it drops everything."""

    def __init__(self, tape: Tape | None, kind: ChannelKind, target: str) -> None:
        self._tape = tape
        self._number = tape.channel(kind, target) if tape else 0

    def add(self, sender: Sender, kind: Kind, type_: str, body: bytes) -> None:
        """Record one event now."""
        if self._tape:
            self._tape.record(self._number, sender, kind, type_, body)

    def body(self, sender: Sender, type_: str, body: bytes) -> None:
        """Record a whole HTTP body: one piece, then its end."""
        if body:
            self.add(sender, "http.chunk", type_, body)
        self.add(sender, "http.chunk", type_, b"")

    def end(self) -> None:
        """Nothing more comes on this channel."""
        if self._tape:
            self._tape.end_channel(self._number)


class Log:
    """Opens a channel for each exchange, on the tape that `tape_for` gives, and makes room when
    the writer cannot keep up. Without `tape_for` nothing is recorded."""

    def __init__(
        self, tape_for: Callable[[RequestHead], Tape] | None = None, writer: Queued | None = None
    ) -> None:
        self._tape_for, self._writer = tape_for, writer

    def channel(self, kind: ChannelKind, head: RequestHead) -> ChannelLog:
        """A new channel for what begins with `head`."""
        return ChannelLog(self._tape_for(head) if self._tape_for else None, kind, head.path)

    async def room(self) -> None:
        """Wait while too much is queued."""
        if self._writer and self._writer.full:
            await self._writer.room()
