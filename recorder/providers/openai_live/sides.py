"""Whose sound an event carries, so that each sound of a session counts once.

The primary WebSocket has the client's appends and the output without times. A sideband repeats
both: the input as `session.input_audio.append` of the provider, the output with `start_ms`
(openai-python, `types/live`). Where the primary is on the tape its sound counts, else that of the
sidebands; what is told again of the output, by another one or after a new attachment, is known by
its `start_ms`. The input has neither time nor id, so that it counts from one sideband, until that
one is closed.
"""

from __future__ import annotations

import re
from typing import Literal

from recorder.events import Sender

APPEND = "session.input_audio.append"
OUTPUT = "session.output_audio.delta"
START = "session.start"
_PLACE = re.compile(rb'"start_ms"\s*:\s*([0-9]+(?:\.[0-9]+)?)')
Whose = Literal["user", "agent"]


class Sides:
    """Follows one session's events in order."""

    def __init__(self) -> None:
        self._has_primary = False
        self._told_ms = -1.0  # the last place of the output that a sideband told
        self._listening: int | None = None  # the sideband whose input counts

    def closed(self, channel: int) -> None:
        """A connection is over: another one may have more of the input."""
        if channel == self._listening:
            self._listening = None

    def whose(self, channel: int, sender: Sender, type_: str, body: bytes) -> Whose | None:
        """Whose sound an event adds; None if it has none, or repeats some. `body` as stored."""
        if type_ == START or (type_ == APPEND and sender == "client"):
            self._has_primary = True
            return "user" if type_ == APPEND else None
        if sender != "provider" or type_ not in (APPEND, OUTPUT):
            return None
        if type_ == APPEND:
            return self._input(channel)
        place = _PLACE.search(body)
        if place is None:
            self._has_primary = True
            return "agent"
        at = float(place[1])
        if self._has_primary or at <= self._told_ms:
            return None
        self._told_ms = at
        return "agent"

    def _input(self, channel: int) -> Whose | None:
        if self._has_primary:
            return None
        if self._listening is None:
            self._listening = channel
        return "user" if channel == self._listening else None
