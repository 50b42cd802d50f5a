"""Secrets that are split over the pieces of a stream: text deltas, chunks of an HTTP body.

A piece is stored at once and cannot be changed later. So a piece that ends like the beginning of
a secret loses that beginning, and what continues it in the next pieces goes as well. The real
text of the last few bytes is kept in memory to tell what continues what.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Hashable, Iterator

from recorder.redact import shapes
from recorder.redact.finder import Finder, merged
from recorder.redact.secrets import LONGEST_KNOWN, Secrets, to_bytes
from recorder.redact.sieve import BEGIN, REACH, Sieve
from recorder.redact.views import Found, plain, unescaped, unquoted

CHUNK_WINDOW = 4096
_DELTA_WINDOW = 96  # bytes; a label and the key of an assignment fit
_MOST_STREAMS = 256
_HEAD = 128  # kept of the beginning of a secret that goes on and on
_SURE = 20  # bytes from which a marker of an unfinished secret gives nothing away
_UNBOUND = 6  # bytes of a known value in the middle of a word that count as its beginning
_CUT_ESCAPE = re.compile(rb"(?:\\(?:u[0-9a-fA-F]{0,3})?|%[0-9a-fA-F]?)\Z")
_LONGEST_ESCAPE = 5


class Tail:
    """The end of one stream. It is cold while nothing in it hints at a secret."""

    __slots__ = ("cut", "framed", "hot", "text", "window")

    def __init__(self, window: int) -> None:
        self.window = window
        self.text = b""
        self.hot = 0  # bytes for which a hint stays within the window
        self.cut = False  # the middle of an unfinished secret was dropped
        self.framed = False  # what its messages have in common is known to be clean

    @property
    def is_quiet(self) -> bool:
        """Whether only what differs between its messages has to be looked at."""
        return self.framed and self.hot <= 0

    def push(self, piece: bytes) -> None:
        """Take a piece without a secret."""
        self.text = (self.text + piece)[-self.window :]

    def keep(self, joined: bytes, unfinished: int | None) -> None:
        """Take `joined` as the new end; an unfinished secret began at that place of it."""
        start = max(len(joined) - self.window, 0)
        if unfinished is None:
            self.cut = False
        else:
            self.hot = self.window
            start = min(start, unfinished)
        self.text = joined[start:]
        if len(self.text) > _HEAD + self.window:
            self.text = self.text[:_HEAD] + self.text[-self.window :]
            self.cut = True


class Streams:
    """The ends of the streams of one session; the least recently used are forgotten."""

    def __init__(
        self, secrets: Secrets, finder: Finder, sieve: Sieve, *, is_always_hot: bool = False
    ) -> None:
        self._finder = finder
        self._sieve = sieve
        self._has_numbers = secrets.personal
        self._is_always_hot = is_always_hot
        self._known = [to_bytes(value) for value in secrets.known if value]
        longest = max(map(len, self._known), default=0)
        self._window = max(_DELTA_WINDOW, min(longest, LONGEST_KNOWN))
        self._tails: OrderedDict[Hashable, Tail] = OrderedDict()

    def drop(self, key: Hashable) -> None:
        """The stream has ended."""
        self._tails.pop(key, None)

    def tail(self, key: Hashable) -> Tail | None:
        """The end of a stream that was fed before."""
        tail = self._tails.get(key)
        if tail is not None:
            self._tails.move_to_end(key)
        return tail

    def push(self, key: Hashable, tail: Tail, piece: bytes) -> None:
        """Take a piece without a secret, for the end of a stream that was not forgotten since."""
        self._tails.move_to_end(key)
        tail.text = (tail.text + piece)[-tail.window :]

    def trust(self, key: Hashable) -> Tail:
        """What the messages of this stream have in common is clean; its end."""
        tail = self._tails[key]
        tail.framed = True
        return tail

    def feed(self, key: Hashable, piece: bytes, window: int = 0) -> list[Found]:
        """The secrets, or parts of secrets, in the next piece of a stream."""
        tail = self.tail(key)
        if tail is None:
            if len(self._tails) >= _MOST_STREAMS:
                _, forgotten = self._tails.popitem(last=False)
                forgotten.framed = False  # for whoever still holds it
            tail = self._tails[key] = Tail(max(window, self._window))
        if self._is_always_hot or self._sieve.hints(tail.text[-REACH:] + piece):
            tail.hot = tail.window
        elif tail.hot <= 0:
            tail.push(piece)
            return []
        else:
            tail.hot -= len(piece)
        return self._look(tail, piece)

    def _look(self, tail: Tail, piece: bytes) -> list[Found]:
        border, cut = len(tail.text), tail.cut
        joined = tail.text + piece
        end = len(joined)
        founds = self._finder.find(joined)
        last = founds[-1].start if founds and founds[-1].end == end else end
        founds = merged((*founds, *(each for each in self._begun(joined) if each.start < last)))
        open_end = bool(founds) and founds[-1].end == end
        tail.keep(joined, founds[-1].start if open_end else None)
        return [_within(found, border, end, cut) for found in founds if found.end > border]

    def _begun(self, text: bytes) -> list[Found]:
        """The beginning of a secret at the end of `text`, however it is written."""
        end = len(text)
        start = max(end - CHUNK_WINDOW, 0)
        cut = _CUT_ESCAPE.search(text, max(end - _LONGEST_ESCAPE, 0))
        last = text[start : cut.start() if cut else end]
        views = [plain(last)]
        views += [unescaped(last)] if b"\\" in last else []
        views += [unquoted(last)] if b"%" in last else []
        founds = [found for view in views for found in view.raw(self._beginning(view.text), start)]
        return [Found(found.start, end, b"") for found in founds]

    def _beginning(self, text: bytes) -> Iterator[Found]:
        end = len(text)
        for start, _ in shapes.begun(text):
            yield Found(start, end, b"")
        for start, _ in shapes.number_begun(text) if self._has_numbers else ():
            yield Found(start, end, b"")
        for value in self._known:
            start = text.find(value[:BEGIN], max(end - len(value) + 1, 0))
            while start >= 0:
                bound = not text[max(start - 1, 0) : start].isalnum()
                if value.startswith(text[start:]) and (bound or end - start >= _UNBOUND):
                    yield Found(start, end, b"")
                    break
                start = text.find(value[:BEGIN], start + 1)


def _within(found: Found, border: int, end: int, cut: bool) -> Found:
    """The part of `found` after `border`; its value only where the secret is known in whole.

    A marker of a few characters could be undone by trying, so the parts of an unfinished secret
    get none.
    """
    value = found.value
    unfinished = found.end == end and (found.start < border or len(value) < _SURE)
    if unfinished or (cut and found.start < border):
        value = b""
    return Found(max(found.start - border, 0), found.end - border, value, found.where)
