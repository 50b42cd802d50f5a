"""Streamed audio as a gate: what a client must have said before the provider reacts to it."""

from __future__ import annotations

from typing import NamedTuple

from replay.match.sound import Sound
from replay.script import SocketScript

_NS = 1_000_000_000
_LATE_NS = _NS // 5  # how far behind its time a client may be that does send the silence


class _Crossing(NamedTuple):
    """When (ns) the sound for a message was complete, and how much audio there was up to it."""

    at_ns: int
    heard: int


class Ear:
    """Counts the audio of one connection. `heard` are bytes, `loud` those that are not silence;
    `passed` is how many of the messages that wait for sound went out."""

    def __init__(self, script: SocketScript) -> None:
        self.heard = self.loud = self.passed = 0
        self._waiting = [step for step in script.planned if step.loud]
        self._byte_rate = script.byte_rate or 1
        self._crossings: list[_Crossing] = []
        self._opened_ns: list[int] = []

    def count(self, size: int, loud: int) -> None:
        """Hear more audio that opens nothing; see `wanted`."""
        self.heard += size
        self.loud += loud

    @property
    def opened(self) -> int:
        """How often something has changed here that `opens_at` depends on."""
        return len(self._crossings) + len(self._opened_ns)

    def wanted(self) -> tuple[int | None, int | None]:
        """At how much sound, and how much audio, something opens next; None: at no amount."""
        steps, crossings, at = self._waiting, self._crossings, len(self._opened_ns)
        loud = steps[len(crossings)].loud if len(crossings) < len(steps) else None
        heard = crossings[at].heard + steps[at].trail if at < len(crossings) else None
        return loud, heard

    def take(self, sound: Sound, now: int) -> None:
        """Hear more audio."""
        self.heard += sound.size
        self.loud += sound.loud
        steps, crossings, opened = self._waiting, self._crossings, self._opened_ns
        while len(crossings) < len(steps) and self.loud >= steps[len(crossings)].loud:
            crossings.append(_Crossing(now, self.heard - sound.tail))
        while len(opened) < len(crossings):
            at = len(opened)
            if self.heard < crossings[at].heard + steps[at].trail:
                break
            opened.append(now)

    def opens_at(self) -> int | None:
        """When the next message that waits for sound may go out: once the audio that followed the
        sound has come too, or has had the time to. None before the sound is complete."""
        at = self.passed
        if at < len(self._opened_ns):
            return self._opened_ns[at]
        if at >= len(self._crossings):
            return None
        trail_ns = self._waiting[at].trail * _NS // self._byte_rate
        return self._crossings[at].at_ns + trail_ns + (_LATE_NS if trail_ns else 0)
