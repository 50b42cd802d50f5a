"""Streamed audio of a tape: paced as it was recorded, with silence after it where it is awaited."""

from __future__ import annotations

from collections import deque

from recorder.audio.silence import SILENT, form_of
from recorder.spans import Span, restore
from replay.caller.acts import Act, Chunk

_NS = 1_000_000_000
_LAST = 1 << 62  # silence that is not on the tape comes after all that is


class Microphone:
    """Gives out pieces of audio when they are due. Times in ns."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, Chunk]] = deque()
        self._last: tuple[int, Chunk] | None = None
        self.act: Act | None = None  # what is being spoken, or was last
        self.began_ns = 0  # when that began
        self._slack = 0  # what the tape has next may be as late as its clock was uneven
        self.sent_seq = 0  # the last piece of the tape that was sent
        self.sent_ns = 0  # when the last piece was sent
        self.loud_until = 0  # when all that can be heard will have been sent

    def speak(self, act: Act, now: int) -> None:
        """Begin with the audio of an act; silence that is left of the one before is dropped."""
        while self._waiting and self._waiting[-1][0] >= now:
            self._waiting.pop()
        self.act, self.began_ns = act, now
        self._waiting.extend((now + chunk.at_ns, chunk) for chunk in act.chunks)
        for chunk in act.chunks:
            if chunk.is_loud:
                self.loud_until = now + chunk.at_ns + chunk.length_ns

    def stop(self) -> None:
        """Record no more."""
        self._waiting.clear()
        self.act = None

    def next(self, is_awaited: bool) -> tuple[int, int] | None:
        """When the next piece is due, and its place on the tape. `is_awaited`: the provider has
        not heard the end of what was said."""
        if self._waiting:
            when, chunk = self._waiting[0]
            return when, chunk.seq
        act = self.act
        if act is None or self._last is None:
            return None
        if not act.stays_open and not (act.is_listened_to and is_awaited):
            return None
        when, chunk = self._last
        if not chunk.length_ns:
            return None
        return when + chunk.length_ns + self._slack, _LAST

    def take(self) -> Chunk:
        """That piece."""
        if self._waiting:
            when, chunk = self._waiting.popleft()
            self.sent_seq = chunk.seq
            self._slack = chunk.length_ns // 2
        else:
            assert self._last is not None
            when, chunk = self._last
            when += chunk.length_ns + self._slack
            self._slack = 0
            chunk = chunk._replace(body=_hushed(chunk), is_loud=False)
        self._last, self.sent_ns = (when, chunk), when
        return chunk


def _hushed(chunk: Chunk) -> bytes:
    """The message with silence in place of its audio."""
    body, removed = chunk.body, 0
    pieces: list[bytes] = []
    found: list[Span] = []
    done = 0
    for field in chunk.fields:
        size = chunk.length_ns * form_of(field).byte_rate // _NS // len(chunk.fields)
        size -= size % 2 if field.codec == "pcm16" else 0
        pieces.append(body[done : field.start])
        found.append(Span(field.start - removed, field.encoding, SILENT[field.codec] * size))
        removed += field.end - field.start
        done = field.end
    return restore(b"".join((*pieces, body[done:])), found)
