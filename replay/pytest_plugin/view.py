"""A tape as a test looks at it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from recorder.events import Event
from recorder.providers import provider
from recorder.recording import Recording
from replay.digest import tape_digest
from replay.kept import Kept
from replay.match.rulebook import Rulebook


class TapeView:
    """The recorded tape: of a replay the one that is played, else what was recorded so far, so
    that the same assertions hold in every mode. `path` is its folder, there or yet to be made."""

    def __init__(
        self, name: str, path: Path, opened: Callable[[], AbstractContextManager[Kept]]
    ) -> None:
        self.name, self.path = name, path
        self._opened = opened

    @property
    def session(self) -> str:
        """The id of its session."""
        with self._opened() as kept:
            return kept.row.id

    @property
    def events(self) -> list[Event]:
        """Its events in order, as they crossed the wire."""
        with self._opened() as kept:
            return list(Recording(kept.store, kept.row.id).events())

    @property
    def digest(self) -> str:
        """Its canonical digest, see docs/digest.md."""
        with self._opened() as kept:
            found = provider(kept.row.provider)
            events = Recording(kept.store, kept.row.id).events()
            return tape_digest(events, found, Rulebook(found.RULES)).digest
