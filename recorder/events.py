"""What crosses a channel: `Event` on a tape, `Message` on its way to or from a machine."""

from __future__ import annotations

from typing import Literal, NamedTuple, Protocol

Sender = Literal["client", "provider", "recorder"]
Kind = Literal[
    "ws.open",
    "ws.text",
    "ws.binary",
    "ws.ping",
    "ws.pong",
    "ws.close",
    "http.request",
    "http.response",
    "http.chunk",
    "webhook.request",
    "webhook.response",
    "note",
]


class Event(NamedTuple):
    """One thing that crossed a channel of a session.

    `seq` counts from 1 without a gap in the order of reading; `at_ns` is the monotonic offset
    since the session's wall-clock anchor; `body` holds the bytes as they crossed the wire: the
    payload of a text, binary, ping or pong message, one piece of an HTTP body, or the JSON of a
    head (`heads.py`) for `ws.open`, `ws.close`, `http.request`, `http.response`. An
    `http.chunk` with an empty body ends that side's HTTP body. `type` is the provider's own
    name for it (`response.done`, `POST /v1/realtime/calls`, `201`).
    """

    session: str
    seq: int
    at_ns: int
    channel: int
    sender: Sender
    kind: Kind
    type: str
    body: bytes


class Message(NamedTuple):
    """One thing handed to or drained from a `Machine`.

    `body` is as in `Event`. `payload` is the whole HTTP body of an `http.request`,
    `http.response` or refused `ws.open`; empty for everything else. `rate` is how many bytes of it
    are to be sent in a second; 0 is as fast as it goes. A `note` is not sent: it is the recorder's,
    about its channel.
    """

    channel: int
    kind: Kind
    body: bytes
    payload: bytes = b""
    rate: int = 0


class Machine(Protocol):
    """Protocol logic without I/O: the same object runs on a real, scaled or virtual clock.

    Channels are numbered by the shell that owns the sockets. A WebSocket begins with `ws.open`
    (a `RequestHead`) and is answered by a `ws.open` (a `ResponseHead`, status 101 or a refusal).
    An HTTP exchange is one `http.request` and one `http.response`. A lost connection arrives as
    a `ws.close` with code 1006.
    """

    def receive(self, message: Message, now: int) -> None:
        """Take one message that arrived at `now` (ns, monotonic)."""
        ...

    def due(self, now: int) -> list[Message]:
        """Drain what is to be sent by `now`, in order."""
        ...

    def next_deadline(self) -> int | None:
        """When `due` will next have something (ns), or None if only a message can cause it."""
        ...
