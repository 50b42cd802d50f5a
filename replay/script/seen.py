"""An event as it is looked at to make a script of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from recorder.events import Event
from recorder.providers.base import Tracker
from replay.match.rulebook import Rulebook
from replay.match.sound import Sound, measure

NS = 1_000_000_000
SLACK_NS = NS // 10  # sound that may be missing before a message that waits for it


class Seen(NamedTuple):
    """An event with the audio that a client streamed in it; `has_audio`: or any other audio."""

    event: Event
    sound: Sound = Sound()
    has_audio: bool = False


def look(event: Event, tracker: Tracker, book: Rulebook) -> Seen:
    """Find the audio of an event. Every event must be looked at, in order."""
    _, _, _, channel, sender, kind, type_, body = event
    fields = tracker.inspect(channel, sender, kind, type_, body).audio
    if kind not in ("ws.text", "ws.binary"):
        return Seen(event)
    is_streamed = sender == "client" and type_ in book.rules.ungated
    sound = Sound()
    if is_streamed:
        sound = measure(body, fields, place=book.rules.deltas.get(type_))
    return Seen(event, sound, bool(fields))


def whole_bodies(channel: Sequence[Seen]) -> dict[str, bytes]:
    """The HTTP bodies of a channel, by sender."""
    bodies: dict[str, bytes] = {}
    for seen in channel:
        if seen.event.kind == "http.chunk":
            bodies[seen.event.sender] = bodies.get(seen.event.sender, b"") + seen.event.body
    return bodies
