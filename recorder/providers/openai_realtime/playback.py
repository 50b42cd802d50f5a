"""What a client of the Realtime API plays, and when it stops.

Over WebSocket the API sends faster than real time and knows nothing of playing: the client drops
what it has queued when it truncates, cancels or clears. On `speech_started` it does so too, unless
the session's `turn_detection.interrupt_response` is false (the API's default is true, and its
official clients stop then).
"""

from __future__ import annotations

import json
from typing import Any

from recorder.events import Kind, Sender
from recorder.providers.base import Cue

_CAPTURE = frozenset({"input_audio_buffer.append", "session.input_audio_buffer.append"})
_PLAY = frozenset(
    {"response.output_audio.delta", "response.audio.delta", "session.output_audio.delta"}
)
_STOP = frozenset(
    {
        "conversation.item.truncate",
        "response.cancel",
        "output_audio_buffer.clear",
        "output_audio_buffer.cleared",
    }
)
_SETTINGS = frozenset({"session.created", "session.updated"})
_SPEECH = "input_audio_buffer.speech_started"


class Playback:
    """A `Listener` for one session."""

    def __init__(self) -> None:
        self._interrupts = True

    def cue(self, channel: int, sender: Sender, kind: Kind, type_: str, body: bytes) -> Cue | None:
        if sender == "client" and type_ in _CAPTURE:
            return "capture"
        if sender == "provider" and type_ in _PLAY:
            return "play"
        if type_ in _STOP or (type_ == _SPEECH and self._interrupts):
            return "stop"
        if sender == "provider" and type_ in _SETTINGS:
            self._interrupts = _interrupts(body, self._interrupts)
        return None


def _interrupts(body: bytes, before: bool) -> bool:
    """Whether speech interrupts: GA `session.audio.input.turn_detection`, beta
    `session.turn_detection`."""
    try:
        session = json.loads(body).get("session")
    except (ValueError, RecursionError, AttributeError):
        return before
    for path in (("audio", "input", "turn_detection"), ("turn_detection",)):
        found: Any = session
        for key in path:
            found = found.get(key) if isinstance(found, dict) else None
        if isinstance(found, dict):
            return found.get("interrupt_response") is not False
    return before
