"""Takes the secrets out of events, and out of whatever else is written or shown."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from recorder.events import Kind, Sender
from recorder.redact.deltas import Deltas, Origin, read, read_carried
from recorder.redact.finder import Finder, merged
from recorder.redact.personal import Personal, Places, unspelled
from recorder.redact.secrets import Secrets, to_bytes
from recorder.redact.sieve import Sieve
from recorder.redact.streams import CHUNK_WINDOW, Streams
from recorder.redact.views import Found, unescaped

_PLACE = "$.delta"
_CARRIER = "response.event"  # an event of GPT-Live: the one that it carries stands at `event`


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
        self._tools = _tools(secrets)

    def name(self, text: str) -> str:
        """An event's type, a model, an id: `text` without secrets."""
        return _text(*self._tools, text)

    def redact(self, channel: int, sender: Sender, kind: Kind, type_: str, body: bytes) -> bytes:
        """`body` with a marker in the place of each secret; the same object if there is none."""
        self._used = self._eraser(type_)
        return self._used.redact(channel, sender, kind, type_, body)

    def passing(self, channel: int, sender: Sender, type_: str, bodies: Sequence[bytes]) -> int:
        """How many of `bodies`, text messages of one type that came one after the other, hold no
        secret, as can be told from the last one at once. `redact` would give each of these as it
        is; it is not called for them."""
        return self._eraser(type_).deltas.passing((channel, sender, type_), bodies)

    def leftover(self, body: bytes) -> str | None:
        """Where a secret still stands in `body`, which `redact` gave last and which is about to be
        stored, or None.

        A place is `$.session.tools[0].authorization`, `header authorization` or `offset 123`.
        """
        return self._used.leftover(body)

    def _eraser(self, type_: str) -> _Eraser:
        return self._plain if type_ in self._kept else self._words


class _Eraser:
    """Erases secrets, and what stands in `places`, from events in their order."""

    def __init__(self, secrets: Secrets, names: tuple[str, ...]) -> None:
        self._places = places = _places(names)
        self._finder, self._sieve = _tools(secrets, places)
        self._find = self._finder.find
        self._streams = Streams(
            secrets, self._finder, self._sieve, is_always_hot=places is not None
        )
        self.deltas = Deltas(self._streams, self._sieve)

    def redact(self, channel: int, sender: Sender, kind: Kind, type_: str, body: bytes) -> bytes:
        if self._places:  # deltas go as a whole
            body = unspelled(body)
        elif kind == "ws.text" and type_.endswith(".delta") and not type_.endswith("audio.delta"):
            return self._delta((channel, sender, type_), body)
        elif kind == "ws.text" and type_ == _CARRIER and b'.delta"' in body:
            return self._carried((channel, sender, type_), body)
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

    def _delta(self, origin: Origin, body: bytes) -> bytes:
        if self.deltas.passing(origin, (body,)) or self.deltas.belongs(origin, body):
            return body
        delta = read(body)
        if delta is None:
            return self._join(body, [])
        text = unescaped(body[delta.start : delta.end])
        founds = text.raw(self._streams.feed((origin, delta.ids), text.text), delta.start, _PLACE)
        result = self._join(body, founds)
        if result is body:
            self.deltas.learn(origin, delta.ids, body)
        return result

    def _carried(self, origin: Origin, body: bytes) -> bytes:
        """A delta in another event."""
        delta = read_carried(body)
        if delta is None:
            return self._join(body, [])
        text = unescaped(body[delta.start : delta.end])
        founds = self._streams.feed((origin, delta.ids), text.text)
        return self._join(body, text.raw(founds, delta.start, f"$.event{_PLACE[1:]}"))


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
