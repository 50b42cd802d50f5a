"""What a client of GPT-Live plays: the output as it comes, silence included.

Nothing tells a client to stop, and no client tells that it did: the model falls silent by itself
(Live guide, migration from Realtime).
"""

from __future__ import annotations

from recorder.events import Kind, Sender
from recorder.providers.base import Cue
from recorder.providers.openai_live.sides import Sides

_CUES: dict[str, Cue] = {"user": "capture", "agent": "play"}


class Playback:
    """A `Listener` for one session."""

    def __init__(self) -> None:
        self._sides = Sides()

    def cue(self, channel: int, sender: Sender, kind: Kind, type_: str, body: bytes) -> Cue | None:
        if kind == "ws.close":
            self._sides.closed(channel)
            return None
        whose = self._sides.whose(channel, sender, type_, body)
        return _CUES[whose] if whose else None
