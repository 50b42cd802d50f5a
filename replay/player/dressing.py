"""What stands where the tape has a marker: URLs that lead here, keys that are made up."""

from __future__ import annotations

import re
from typing import NamedTuple

from recorder.heads import RequestHead, header
from recorder.providers.base import Provider
from recorder.redact.walk import texts

_REDACTED = re.compile(rb'"\[redacted:([0-9a-f]{12})\]"')  # without digits it stands for words


class Base(NamedTuple):
    """Where this server is reached; an empty host is not known yet."""

    host: str = ""
    tls: bool = False


class Dressing:
    """Restores bodies for one provider.

    The URLs of its `Rules.links` lead to this server: to the host that was asked for last, or to
    `base` before anything was asked. A key is replaced by a made-up one that begins with the
    rules' `key_prefix`, since a marker cannot be sent where keys go (RFC 6455, 4.1: a sub-protocol
    is a token).
    """

    def __init__(self, provider: Provider) -> None:
        self.base = Base()
        self._prefix = provider.PREFIX
        self._links = provider.RULES.links
        self._places = frozenset(tuple(place.split(".")) for place in self._links)
        self._key = provider.RULES.key_prefix.encode()

    def asked(self, head: RequestHead) -> None:
        """A request shows how this server is reached."""
        host = header(head.headers, "host")
        if host:
            self.base = self.base._replace(host=host)

    def answer(self, body: bytes) -> bytes:
        """The body of an answer with its links and keys."""
        return _REDACTED.sub(
            lambda marker: b'"%sreplay_%s"' % (self._key, marker[1]), self.links(body)
        )

    def links(self, body: bytes) -> bytes:
        """A body with its links; every other byte stays."""
        if not self._places or not self.base.host:
            return body
        found = list(texts(body))
        names = {text.path[:-1]: text for text in reversed(found) if text.path[-1:] == ("id",)}
        pieces: list[bytes] = []
        done = 0
        for text in found:
            place = text.path[-2:]
            named = names.get(text.path[:-2])
            if place in self._places and named is not None:
                pieces += body[done : text.start], self._url(place, body[named.start : named.end])
                done = text.end
        return b"".join((*pieces, body[done:]))

    def _url(self, place: tuple[str | int, ...], name: bytes) -> bytes:
        scheme, _, path = self._links[".".join(map(str, place))].partition(":")
        safe = "s" if self.base.tls else ""
        url = f"{scheme}{safe}://{self.base.host}{self._prefix}{path}"
        return url.encode().replace(b"{id}", name)
