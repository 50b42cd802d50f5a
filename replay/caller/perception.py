"""What passes, as it is understood on a tape and in a run alike: names, sound, meaning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from recorder.audio.silence import form_of
from recorder.events import Event, Kind, Sender
from recorder.providers.base import Cue, Provider
from recorder.providers.neutral import Neutral
from recorder.spans import AudioField, lift

_NS = 1_000_000_000


class Heard(NamedTuple):
    """Audio of one message: `data` (wire bytes) as `field` describes it."""

    field: AudioField
    data: bytes

    @property
    def length_ns(self) -> int:
        """How long it lasts."""
        return len(self.data) * _NS // form_of(self.field).byte_rate


class Seen(NamedTuple):
    """A message: its type, what it means, its audio, and what that means for what is played.
    `body` is without its audio."""

    type: str
    told: Sequence[Neutral]
    heard: tuple[Heard, ...]
    cue: Cue | None
    body: bytes


class Perception:
    """Follows all channels of one session in order."""

    def __init__(self, provider: Provider) -> None:
        self._tracker = provider.tracker()
        self._decoder = provider.decoder()
        self._listener = provider.listener()

    def take(
        self, channel: int, sender: Sender, kind: Kind, body: bytes, now: int, type_: str = ""
    ) -> Seen:
        """The next thing that passes."""
        insight = self._tracker.inspect(channel, sender, kind, type_, body)
        lifted, found = lift(body, insight.audio) if insight.audio else (body, ())
        event = Event("", 0, now, channel, sender, kind, insight.type, lifted)
        told = self._decoder.decode(event)
        heard = tuple(Heard(field, span.data) for field, span in found)
        cue = self._listener.cue(sender, insight.type, lifted)
        return Seen(insight.type, told, heard, cue, lifted)
