"""Takes the secrets out of events, and out of whatever else is written or shown."""

from __future__ import annotations

from collections.abc import Hashable
from functools import lru_cache, partial
from typing import NamedTuple

from recorder.events import Kind, Sender
from recorder.redact.finder import Finder, merged
from recorder.redact.personal import Personal, Places, unspelled
from recorder.redact.secrets import Secrets, to_bytes
from recorder.redact.sieve import REACH, Sieve
from recorder.redact.streams import CHUNK_WINDOW, Streams
from recorder.redact.views import Found, unescaped
from recorder.redact.walk import texts

_IDS = (("item_id",), ("response_id",), ("call_id",))
_ITEM = b'"item_id"'
_PLACE = "$.delta"
_BACKSLASH = ord("\\")
_MOST_NAMES = 512


@lru_cache(maxsize=16)
def _tools(secrets: Secrets, places: Places | None = None) -> tuple[Finder, Sieve]:
    sieve = Sieve(secrets)
    return Finder(secrets, sieve, places), sieve


@lru_cache(maxsize=8)
def _places(places: tuple[str, ...]) -> Places | None:
    return Places(places) if places else None


class Redactor:
    """One per session. It remembers the ends of streams, so events must come in their order.

    `personal` says where its provider's messages have personal data, which goes as well if
    `secrets` says so.
    """

    def __init__(self, secrets: Secrets, personal: Personal | None = None) -> None:
        table = personal if personal and secrets.personal else Personal()
        self._plain = _Eraser(secrets, ())
        self._words = _Eraser(secrets, table.places) if table.places else self._plain
        self._kept = table.kept
        self._used = self._words
        self._names: dict[str, str] = {}
        self._clean_name = partial(_text, *_tools(secrets))

    def name(self, text: str) -> str:
        """An event's type, a model, an id: `text` without secrets. The same few come often."""
        found = self._names.get(text)
        if found is None:
            found = self._clean_name(text)
            if len(self._names) < _MOST_NAMES:
                self._names[text] = found
        return found

    def redact(self, channel: int, sender: Sender, kind: Kind, type_: str, body: bytes) -> bytes:
        """`body` with a marker in the place of each secret; the same object if there is none."""
        self._used = self._plain if type_ in self._kept else self._words
        return self._used.redact(channel, sender, kind, type_, body)

    def leftover(self, body: bytes) -> str | None:
        """Where a secret still stands in `body`, which `redact` gave last and which is about to be
        stored, or None.

        A place is `$.session.tools[0].authorization`, `header authorization` or `offset 123`.
        """
        return self._used.leftover(body)


class _Eraser:
    """Erases secrets, and what stands in `places`, from events in their order."""

    def __init__(self, secrets: Secrets, names: tuple[str, ...]) -> None:
        self._places = places = _places(names)
        self._finder, self._sieve = _tools(secrets, places)
        self._find = self._finder.find
        self._streams = Streams(
            secrets, self._finder, self._sieve, is_always_hot=places is not None
        )

    def redact(self, channel: int, sender: Sender, kind: Kind, type_: str, body: bytes) -> bytes:
        if self._places:  # deltas go as a whole
            body = unspelled(body)
        elif kind == "ws.text" and type_.endswith(".delta") and not type_.endswith("audio.delta"):
            return self._delta((channel, sender, type_), body)
        if kind == "http.chunk":
            return self._chunk((channel, sender), body)
        if kind in ("http.request", "http.response"):
            self._streams.drop((channel, sender))
        return self._join(body, [])

    def leftover(self, body: bytes) -> str | None:
        if self._is_clean(body):
            return None
        founds = self._find(body)
        return (founds[0].where or f"offset {founds[0].start}") if founds else None

    def _is_clean(self, body: bytes) -> bool:
        named = self._places is not None and self._places.is_hinted(body)
        return not named and self._sieve.is_clean(body)

    def _chunk(self, key: tuple[int, str], body: bytes) -> bytes:
        if not body:
            self._streams.drop(key)
            return body
        return self._join(body, self._streams.feed(key, body, CHUNK_WINDOW))

    def _join(self, body: bytes, founds: list[Found]) -> bytes:
        """`body` without what its stream tells, and what it tells by itself."""
        if not self._is_clean(body):
            founds = merged((*self._find(body), *founds))
        return self._finder.replace(body, founds)

    def _delta(self, stream: tuple[int, str, str], body: bytes) -> bytes:
        if self._passes(stream, body):
            return body
        delta = _read(body)
        if delta is None:
            return self._join(body, [])
        key = (stream, delta.ids)
        text = unescaped(body[delta.start : delta.end])
        founds = text.raw(self._streams.feed(key, text.text), delta.start, _PLACE)
        result = self._join(body, founds)
        if result is body:
            self._streams.trust(key)
        return result

    def _passes(self, stream: tuple[int, str, str], body: bytes) -> bool:
        """Whether this is the next delta of a known stream, without any hint of a secret."""
        head, _, rest = body.partition(b'"delta"')
        pieces = rest.split(b'"', 2)
        if len(pieces) < 3 or pieces[0].strip() != b":" or _BACKSLASH in pieces[1]:
            return False
        frame, event_id = _frame(head)
        tail = self._streams.tail((stream, frame))
        if tail is None or tail.hot > 0 or not tail.framed:
            return False
        _, text, after = pieces
        if self._sieve.hints(b'%s%s"%s"%s' % (tail.text[-REACH:], text, event_id, after)):
            return False
        tail.push(text)
        return True


class _Delta(NamedTuple):
    ids: Hashable
    start: int  # its text is `body[start:end]`, as a JSON string has it
    end: int


def _frame(head: bytes) -> tuple[tuple[bytes, ...], bytes]:
    """What stands around the event id in the part of a delta before its text, and the id."""
    before, _, rest = head.partition(b'"event_id"')
    pieces = rest.split(b'"', 2)
    if len(pieces) < 3:
        return (head,), b""
    return (before, pieces[0], pieces[2]), pieces[1]


def _read(body: bytes) -> _Delta | None:
    """Where the text of a delta is, and what tells its stream from others."""
    values = list(texts(body))
    spans = [(text.start, text.end) for text in values if text.path == ("delta",)]
    if not spans:
        return None
    start, end = spans[-1]  # of several equal keys a reader takes the last
    head, _, _ = body[:start].rpartition(b'"delta"')
    if _ITEM in head or _ITEM not in body:
        return _Delta(_frame(head)[0], start, end)
    ids = [(text.path, body[text.start : text.end]) for text in values if text.path in _IDS]
    return _Delta(tuple(ids), start, end)


def redact_text(secrets: Secrets, text: str) -> str:
    """A log line, an error message, a report: `text` without secrets."""
    return _text(*_tools(secrets), text)


def _text(finder: Finder, sieve: Sieve, text: str) -> str:
    raw = to_bytes(text)
    if sieve.is_clean(raw):
        return text
    founds = finder.find(raw)
    return _to_text(finder.replace(raw, founds)) if founds else text


def _to_text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogatepass")
