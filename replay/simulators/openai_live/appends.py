"""Texts that the client appends, until they are taken: each is acknowledged when the session's time
has passed the step in which it came, so that without audio it stays pending (sessions guide)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from replay.simulators.openai_live import errors
from replay.simulators.openai_live.stage import STEP_MS, Stage


class Append(NamedTuple):
    """A text: `kind` is `instructions`, `thinking` or `commentary`."""

    kind: str
    content: str
    delegation_id: str | None
    event_id: str | None
    start_ms: int


class Appends:
    """Those that are pending, in order."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._pending: list[Append] = []

    def add(self, kind: str, content: str, delegation: str | None, event_id: str | None) -> None:
        """Take a text."""
        start = int(self._stage.heard_ms) // STEP_MS * STEP_MS
        self._pending.append(Append(kind, content, delegation, event_id, start))

    def accepted(self) -> Iterator[Append]:
        """Acknowledge those that are due."""
        stage = self._stage
        while self._pending and self._pending[0].start_ms + STEP_MS <= stage.heard_ms:
            append = self._pending.pop(0)
            stage.emit(
                f"session.{append.kind}.appended",
                append.event_id,
                start_ms=append.start_ms,
                end_ms=append.start_ms + STEP_MS,
            )
            yield append

    def refuse(self) -> None:
        """The session closes: what is pending ends as an error."""
        pending, self._pending = self._pending, []
        for append in pending:
            self._stage.refuse(errors.closing(), append.event_id)
