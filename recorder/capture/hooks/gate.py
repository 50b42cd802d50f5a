"""`Gate`: how a hook records: waiting while the writer is behind, stopping what cannot be kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from threading import Lock

from recorder.capture.tap import Tape
from recorder.capture.writer import Writer
from recorder.errors import RecorderError
from recorder.events import Kind, Sender
from recorder.heads import RequestHead, ResponseHead
from recorder.providers.base import Provider


class SessionEnded(RecorderError):
    """Something was to be recorded in a session that has ended."""


class Gate:
    """One session as hooks see it; its tape is opened when first used. Safe in any thread."""

    def __init__(
        self, writer: Writer, opener: Callable[[], Tape], named_by: Provider | None = None
    ) -> None:
        self._writer, self._opener, self._named_by = writer, opener, named_by
        self._lock = Lock()
        self._tape: Tape | None = None

    @property
    def tape(self) -> Tape:
        """The session's tape."""
        with self._lock:
            if self._tape is None:
                self._tape = self._opener()
            return self._tape

    @property
    def is_open(self) -> bool:
        """Whether something can be recorded."""
        return self.tape.failed is None and not self.tape.ended

    def wait(self) -> None:
        """Block while the writer's queue is full; raise if nothing more can be recorded."""
        if self._writer.full:
            self._writer.wait_room()
        self._check()

    async def wait_async(self) -> None:
        """`wait` for an event loop."""
        if self._writer.full:
            await self._writer.room()
        self._check()

    def record(self, channel: int, sender: Sender, kind: Kind, type_: str, body: bytes) -> None:
        """Record one event now; never blocks. Raises what `wait` raises."""
        self._check()
        self.tape.record(channel, sender, kind, type_, body)

    def note(self, channel: int, what: str, message: str) -> None:
        """Record a remark; where nothing can be recorded any more there is nobody to tell."""
        if self.is_open:
            body = json.dumps({"message": message}).encode()
            self.tape.record(channel, "recorder", "note", what, body)

    def correlate(self, request: RequestHead, response: ResponseHead) -> None:
        """Name the session by the id that an answer tells, if it is one that has a name."""
        key = self._named_by.correlate(request, response) if self._named_by else None
        if key:
            self.tape.learn(external_id=key)

    def end(self) -> None:
        """End the session, if anything was recorded in it."""
        with self._lock:
            if self._tape is not None:
                self._tape.end()

    def _check(self) -> None:
        tape = self.tape
        if tape.failed is not None:
            raise tape.failed
        if tape.ended:
            raise SessionEnded(f"session {tape.session} has ended: open another to record more")
