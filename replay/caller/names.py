"""What the provider of the tape named, and what the one of the run calls it: ids, secrets, URLs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from recorder.heads import Headers, RequestHead
from recorder.redact.secrets import MARKER
from replay.match.ids import Bindings, ids_in, rename
from replay.match.jsontext import Json, parse
from replay.match.rulebook import Place, Rulebook, value_at
from replay.script import ExchangeScript

_MARKER = re.compile(MARKER.pattern.decode())
_PROTOCOLS = "sec-websocket-protocol"
_OWN = frozenset({"host", "content-length", "connection", "upgrade"})


class Names:
    """Pairs of recorded and live names, learnt as the run goes on.

    `base` is the URL of the provider in the run: what it links to there is a path.
    """

    def __init__(self, book: Rulebook, base: str) -> None:
        self._book, self._base = book, urlsplit(base)
        self.bindings = Bindings()
        self._secrets: dict[str, str] = {}
        self._urls: dict[str, str] = {}  # recorded path -> where it is now

    # Learning

    def answered(self, script: ExchangeScript, body: bytes) -> None:
        """The answer to a request of the tape, which `script` has as it was there."""
        try:
            recorded, live = parse(script.received), parse(body)
        except ValueError:
            return  # not JSON, so nothing is named
        self._pair(self._book.root(""), recorded, live)
        self._link(recorded, live)

    def _pair(self, place: Place, recorded: Json, live: Json) -> None:
        if isinstance(recorded, dict) and isinstance(live, dict):
            for key in recorded.keys() & live.keys():
                self._pair(place.down(key), recorded[key], live[key])
        elif isinstance(recorded, list) and isinstance(live, list):
            for at, (one, other) in enumerate(zip(recorded, live, strict=False)):
                self._pair(place.down(at), one, other)
        elif type(recorded) is str and type(live) is str:
            if _MARKER.fullmatch(recorded):
                self._secrets[recorded] = live
            elif place.id_kind:
                self.bindings.bind(place.id_kind, recorded, live)

    def _link(self, recorded: Json, live: Json) -> None:
        """URLs that an answer tells: a socket of the tape leads there now."""
        name = recorded.get("id") if isinstance(recorded, dict) else None
        if not isinstance(name, str):
            return
        for place, template in self._book.rules.links.items():
            url = value_at(live, place)
            if isinstance(url, str):
                path = template.partition(":")[2].replace("{id}", name)
                self._urls[path] = url

    def bind(self, kind: str, recorded: str, live: str) -> None:
        """An id that came in the same place."""
        self.bindings.bind(kind, recorded, live)

    def webhook(self, sent: bytes, live: bytes) -> None:
        """A webhook as it was on the tape, and as it came."""
        try:
            self._pair(self._book.root(""), parse(sent), parse(live))
        except ValueError:
            return  # not JSON, so nothing is named

    # Using

    def missing(self, names: Sequence[str], kinds: Mapping[str, str]) -> str | None:
        """The first of `names` that has no counterpart; `kinds` are theirs."""
        return next((one for one in names if self.bindings.live(kinds[one], one) is None), None)

    def body(self, body: bytes, type_: str = "") -> bytes:
        """A body with the live ids."""
        return rename(body, list(self.bindings.renamed), self.bindings, self._book, type_)

    def head(self, head: RequestHead, extra: Headers = ()) -> RequestHead:
        """A head as it is sent: live ids and URLs, secrets as far as they are known. What was a
        secret and is not known is left out; `extra` are headers for where there are none."""
        kept = [(name, value) for name, value in self._headers(head.headers)]
        have = {name.lower() for name, _ in kept}
        kept += [(name, value) for name, value in extra if name.lower() not in have]
        return RequestHead(head.method, self._path(head.path), self._query(head), tuple(kept))

    def _headers(self, headers: Headers) -> Iterator[tuple[str, str]]:
        for name, value in headers:
            if name.lower() in _OWN:
                continue
            known = self._known(value)
            if name.lower() == _PROTOCOLS:
                parts = (part.strip() for part in known.split(","))
                known = ", ".join(part for part in parts if not _MARKER.search(part))
            if known and not _MARKER.search(known):
                yield name, known

    def _known(self, text: str) -> str:
        return _MARKER.sub(lambda found: self._secrets.get(found[0], found[0]), text)

    def _query(self, head: RequestHead) -> str:
        parts = self._renamed(self._known(head.query)).split("&")
        return "&".join(part for part in parts if part and not _MARKER.search(part))

    def _path(self, path: str) -> str:
        url = next((url for end, url in self._urls.items() if path.endswith(end)), None)
        if url is None:
            return self._renamed(path)
        found = urlsplit(url)
        if found.netloc != self._base.netloc:
            return url
        prefix = self._base.path.rstrip("/")
        return found.path.removeprefix(prefix) if prefix else found.path

    def _renamed(self, text: str) -> str:
        for recorded, live in self.bindings.renamed.items():
            text = text.replace(recorded, live)
        return text


def ids_of(body: bytes, type_: str, book: Rulebook) -> Iterator[tuple[str, str]]:
    """The (kind, id) pairs of a message, in order; none if it is not JSON."""
    try:
        message = parse(body)
    except ValueError:
        return
    yield from ids_in(book.root(type_), message, book.rules.constants)


def text_of(body: bytes, limit: int = 160) -> str:
    """What a refusal says, on one line."""
    try:
        told = json.loads(body)
    except ValueError:
        told = None
    for path in ("error.message", "message"):
        found = value_at(told, path)
        if isinstance(found, str):
            return found[:limit]
    return " ".join(body.decode("utf-8", "replace").split())[:limit]
