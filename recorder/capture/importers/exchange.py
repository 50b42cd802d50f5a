"""HTTP exchanges as the events that a proxy would have seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

from recorder.capture.importers.conversation import Take
from recorder.events import Sender
from recorder.heads import Headers, RequestHead, ResponseHead


class Exchange(NamedTuple):
    """One request and its answer, with when each head and the end came (offsets, ns)."""

    request: RequestHead
    sent: bytes
    response: ResponseHead | None
    received: bytes
    asked_ns: int = 0
    answered_ns: int = 0
    ended_ns: int = 0

    def takes(self, channel: int, start_ns: int = 0) -> Iterator[Take]:
        """Its events: each head, the body as one piece, the empty piece that ends it."""
        name = f"{self.request.method} {self.request.path}"
        asked, answered = start_ns + self.asked_ns, start_ns + self.answered_ns
        body = self.request.encode()
        yield Take(asked, channel, "client", "http.request", name, body)
        yield from _body(asked, asked, channel, "client", name, self.sent)
        if self.response is not None:
            head = self.response.encode()
            status = str(self.response.status)
            yield Take(answered, channel, "provider", "http.response", status, head)
            ended = start_ns + self.ended_ns
            yield from _body(answered, ended, channel, "provider", name, self.received)


def _body(
    at_ns: int, end_ns: int, channel: int, sender: Sender, name: str, body: bytes
) -> Iterator[Take]:
    if body:
        yield Take(at_ns, channel, sender, "http.chunk", name, body)
    yield Take(end_ns, channel, sender, "http.chunk", name, b"")


def request_head(method: str, url: str, headers: Headers) -> RequestHead:
    """The head of a request to an absolute URL; ValueError if it is not one."""
    parts = urlsplit(url)
    if not parts.scheme or not parts.netloc:
        raise ValueError(f"{url!r} is not an absolute URL")
    return RequestHead(method, parts.path or "/", parts.query, headers)
