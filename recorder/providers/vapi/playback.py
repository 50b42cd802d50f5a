"""What the client of a call hears: the socket's audio as it comes, until it interrupts.

The socket has no marks and nothing to clear a queue with. When the user interrupts Vapi stops
sending, and a client drops what it has not played yet on `user-interrupted`.
"""

from __future__ import annotations

from recorder.events import Kind, Sender
from recorder.providers.base import Cue
from recorder.providers.vapi.capture import AUDIO


class Playback:
    """A `Listener` for one session."""

    def cue(self, channel: int, sender: Sender, kind: Kind, type_: str, body: bytes) -> Cue | None:
        if type_ == AUDIO:
            return "capture" if sender == "client" else "play"
        return "stop" if type_ == "user-interrupted" else None
