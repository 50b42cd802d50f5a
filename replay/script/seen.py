"""An event as it is looked at to make a script of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from recorder.events import Event, Sender
from recorder.providers.base import Tracker
from recorder.spans import AudioField
from replay.match.rulebook import Rulebook
from replay.match.sound import Sound, measure

NS = 1_000_000_000
SLACK_NS = NS // 10  # sound that may be missing before a message that waits for it


class Seen(NamedTuple):
    """An event with the audio that a client streamed in it; `has_audio`: or any other audio."""

    event: Event
    sound: Sound = Sound()
    has_audio: bool = False


class _Mould(NamedTuple):
    """A text message with one piece of audio, by which the next ones of its kind are known: what
    stands `before` and `after` the audio, which begins and ends as `field` says."""

    type: str
    before: bytes
    after: bytes
    field: AudioField
    body: bytes
    sound: Sound

    def fits(self, type_: str, body: bytes) -> AudioField | None:
        """The audio of a message that differs in its audio only, and has as much at least."""
        start, end = self.field.start, len(body) - len(self.after)
        alike = type_ == self.type and end >= self.field.end
        if not (alike and body.startswith(self.before) and body.endswith(self.after)):
            return None
        if body.find(b'"', start) != end:
            return None  # a string ends before: it says something else
        return AudioField(start, end, *self.field[2:])


class Looker:
    """Looks at the events of a tape, all of them, in order. Most are pieces of audio: one like the
    piece before it is known without the tracker, until something else is said."""

    def __init__(self, tracker: Tracker, book: Rulebook) -> None:
        self._tracker, self._rules = tracker, book.rules
        self._moulds: dict[tuple[int, Sender], _Mould] = {}

    def look(self, event: Event) -> Seen:
        """Find the audio of an event."""
        _, _, _, channel, sender, kind, type_, body = event
        mould = self._moulds.get((channel, sender))
        if mould is not None and kind == "ws.text":
            if body == mould.body and type_ == mould.type:
                return Seen(event, mould.sound, True)
            field = mould.fits(type_, body)
            if field is not None:
                sound = self._heard(sender, type_, body, (field,))
                if sound.size:
                    self._moulds[channel, sender] = mould._replace(body=body, sound=sound)
                return Seen(event, sound, True)
        insight = self._tracker.inspect(channel, sender, kind, type_, body)
        fields = insight.audio
        if kind not in ("ws.text", "ws.binary"):
            self._moulds.clear()
            return Seen(event)
        sound = self._heard(sender, type_, body, fields)
        if kind == "ws.binary":
            return Seen(event, sound, bool(fields))
        is_piece = len(fields) == 1 and fields[0].encoding == "base64"
        if is_piece and not insight.ended and not insight.facts:
            field = fields[0]
            before, after = body[: field.start], body[field.end :]
            made = _Mould(type_, before, after, field, body, sound)
            self._moulds[channel, sender] = made
        else:
            self._moulds.clear()  # what it says may change what audio is
        return Seen(event, sound, bool(fields))

    def _heard(
        self, sender: Sender, type_: str, body: bytes, fields: Sequence[AudioField]
    ) -> Sound:
        if sender != "client" or type_ not in self._rules.ungated:
            return Sound()
        return measure(body, fields, place=self._rules.deltas.get(type_))


def whole_bodies(channel: Sequence[Seen]) -> dict[str, bytes]:
    """The HTTP bodies of a channel, by sender."""
    bodies: dict[str, bytes] = {}
    for seen in channel:
        if seen.event.kind == "http.chunk":
            bodies[seen.event.sender] = bodies.get(seen.event.sender, b"") + seen.event.body
    return bodies
