"""Where a server writes down what passes: a tape that is being recorded, or nowhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from recorder.capture.tap import Tape
from recorder.events import Kind, Sender
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
    """Opens channels on one tape, which `open_tape` opens for the first of them, and makes room
    when its writer cannot keep up. Without `open_tape` nothing is recorded."""

    def __init__(
        self, open_tape: Callable[[], Tape] | None = None, writer: Queued | None = None
    ) -> None:
        self.tape: Tape | None = None
        self._open_tape, self._writer = open_tape, writer

    def channel(self, kind: ChannelKind, target: str) -> ChannelLog:
        """A new channel."""
        if self.tape is None and self._open_tape:
            self.tape = self._open_tape()
        return ChannelLog(self.tape, kind, target)

    async def room(self) -> None:
        """Wait while too much is queued."""
        if self._writer and self._writer.full:
            await self._writer.room()
