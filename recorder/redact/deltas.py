"""Text deltas: messages that bring a text piece by piece. Most of what is said on a call is these.

One differs from the one before it in its event id and in its piece of text. So deltas without any
hint of a secret are told by comparing their other bytes with those of the last one, many at once.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from typing import NamedTuple

from recorder.redact.sieve import REACH, Sieve
from recorder.redact.streams import Streams, Tail
from recorder.redact.walk import texts

Origin = tuple[int, str, str]  # channel, sender, type

_IDS = (("item_id",), ("response_id",), ("call_id",))
_CARRIED_IDS = (("event", "type"), *(("event", *path) for path in _IDS))
_TIMES = re.compile(rb'"(?:start|end)_ms"\s*:\s*[0-9.]+')
_ITEM = b'"item_id"'
_MOST_ORIGINS = 64


class Delta(NamedTuple):
    """Where the text of a delta is, and what tells its stream from others."""

    ids: Hashable
    start: int  # its text is `body[start:end]`, as a JSON string has it
    end: int


class _Parts(NamedTuple):
    """A delta cut up at its first `"delta"`: `FRAME "delta" COLON " text " AFTER`."""

    frame: tuple[bytes, ...]  # what stands around the event id
    event_id: bytes
    colon: bytes
    text: bytes
    after: bytes


class _Last(NamedTuple):
    """The last delta of an origin, `HEAD event-id MIDDLE text " …`, and the stream it is of."""

    head: bytes  # up to the event id, with the quote before it
    middle: bytes  # from the quote after the event id up to the text, with the quote before that
    key: Hashable
    tail: Tail


class Deltas:
    """Tells which deltas pass without a closer look. Their texts are remembered with their stream,
    so that a secret is found wherever it is split."""

    def __init__(self, streams: Streams, sieve: Sieve) -> None:
        self._streams = streams
        self._hints = sieve.hints
        self._last: dict[Origin, _Last] = {}

    def passing(self, origin: Origin, bodies: Sequence[bytes]) -> int:
        """How many of `bodies`, which came one after the other, are the next deltas of the stream
        that the last one was of, in the very same words. They pass; where one of them hints at a
        secret none does, and each is to be looked at by itself."""
        last = self._last.get(origin)
        if last is None or not last.tail.is_quiet:
            return 0
        head, middle, key, tail = last
        before, size = len(head), len(middle)
        texts: list[bytes] = []
        others: list[bytes] = []
        for body in bodies:
            named = body.find(b'"', before)
            start = named + size
            end = body.find(b'"', start)
            text = body[start:end]
            if end < 0 or not body.startswith(head) or not body.startswith(middle, named):
                break
            if b"\\" in text:
                break
            texts.append(text)
            others.append(body[before:named])
            others.append(body[end:])
        return len(texts) if texts and self._pass(key, tail, b"".join(texts), others) else 0

    def belongs(self, origin: Origin, body: bytes) -> bool:
        """Whether this is the next delta of any known stream, without a hint of a secret."""
        parts = _parts(body)
        if parts is None or b"\\" in parts.text:
            return False
        key = (origin, parts.frame)
        tail = self._streams.tail(key)
        if tail is None or not tail.is_quiet:
            return False
        if not self._pass(key, tail, parts.text, (parts.event_id, parts.after)):
            return False
        self._remember(origin, parts.frame, parts.colon, key, tail)
        return True

    def learn(self, origin: Origin, ids: Hashable, body: bytes) -> None:
        """A delta was looked at and is clean, and so is what the next have in common with it."""
        key = (origin, ids)
        tail = self._streams.trust(key)
        parts = _parts(body)
        if parts is not None and parts.frame == ids:
            self._remember(origin, parts.frame, parts.colon, key, tail)

    def _pass(self, key: Hashable, tail: Tail, text: bytes, others: Sequence[bytes]) -> bool:
        """Let a text without escapes go by if neither it, with what came before it, nor what else
        differs from message to message hints at a secret. No hint has a quote in it: what stands
        between quotes is judged on its own."""
        if self._hints(tail.text[-REACH:] + b'"'.join((text, *others))):
            return False
        self._streams.push(key, tail, text)
        return True

    def _remember(
        self, origin: Origin, frame: tuple[bytes, ...], colon: bytes, key: Hashable, tail: Tail
    ) -> None:
        if len(frame) < 3:
            return  # without an event id every message has other words
        if len(self._last) >= _MOST_ORIGINS:
            self._last.clear()
        before, between, after = frame
        head = b'%b"event_id"%b"' % (before, between)
        self._last[origin] = _Last(head, b'"%b"delta"%b"' % (after, colon), key, tail)


def read(body: bytes) -> Delta | None:
    """Where the text of a message is that should be a delta; None if it has none."""
    values = list(texts(body))
    spans = [(text.start, text.end) for text in values if text.path == ("delta",)]
    if not spans:
        return None
    start, end = spans[-1]  # of several equal keys a reader takes the last
    head, _, _ = body[:start].rpartition(b'"delta"')
    if _ITEM in head or _ITEM not in body:
        return Delta(_frame(head)[0], start, end)
    ids = [(text.path, body[text.start : text.end]) for text in values if text.path in _IDS]
    return Delta(tuple(ids), start, end)


def read_carried(body: bytes) -> Delta | None:
    """The same for a delta in another event, at `event`. What stands around it is numbered, so that
    ids alone tell its stream."""
    values = list(texts(body))
    deltas = [text for text in values if text.path == ("event", "delta")]
    if not deltas:
        return None
    ids = [(at.path, body[at.start : at.end]) for at in values if at.path in _CARRIED_IDS]
    return Delta(tuple(ids), deltas[-1].start, deltas[-1].end)


def _parts(body: bytes) -> _Parts | None:
    before, _, rest = body.partition(b'"delta"')
    pieces = rest.split(b'"', 2)
    if len(pieces) < 3 or pieces[0].strip() != b":":
        return None
    frame, event_id = _frame(before)
    colon, text, after = pieces
    return _Parts(frame, event_id, colon, text, after)


def _frame(head: bytes) -> tuple[tuple[bytes, ...], bytes]:
    """What stands around the event id in the part of a delta before its text, and the id. Places in
    time, which tell one piece from the next and no streams apart, are left out."""
    if b'_ms"' in head:
        head = _TIMES.sub(b"", head)
    before, _, rest = head.partition(b'"event_id"')
    pieces = rest.split(b'"', 2)
    if len(pieces) < 3:
        return (head,), b""
    return (before, pieces[0], pieces[2]), pieces[1]
