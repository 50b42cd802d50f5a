"""A caller as it goes out: its heads and its webhook address fitted to where it goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple
from urllib.parse import urlsplit

from recorder.capture.proxy.rewriting import with_address
from recorder.client import Client
from recorder.events import Message
from recorder.heads import Headers, RequestHead
from recorder.providers.base import Provider

_OPENING = ("ws.open", "http.request")


class Fitting(NamedTuple):
    """`headers` go with every head; `address` is where the provider is to deliver webhooks, None
    leaves that to it; `is_here`: URLs lead to a simulator of this process, by their paths."""

    headers: Headers = ()
    address: str | None = None
    is_here: bool = False


class Outgoing:
    """`caller` as it goes to `provider`. `tick` is told the time before anything is sent. `over` is
    whether `limit_ns` had passed when it last acted."""

    def __init__(
        self,
        caller: Client,
        provider: Provider,
        fitting: Fitting,
        limit_ns: int,
        tick: Callable[[int], None],
    ) -> None:
        self.over = False
        self._caller, self._provider, self._fitting = caller, provider, fitting
        self._limit_ns, self._tick = limit_ns, tick
        self._began: int | None = None

    @property
    def finished(self) -> bool:
        """Whether the caller is done."""
        return self._caller.finished

    def receive(self, message: Message, now: int) -> None:
        """What the provider says."""
        self._caller.receive(message, now)

    def due(self, now: int) -> list[Message]:
        """What the caller says by `now`."""
        self._tick(now)
        if self._began is None:
            self._began = now
        if not self._caller.finished:
            self.over = now - self._began >= self._limit_ns
        return [self._fitted(message) for message in self._caller.due(now)]

    def next_deadline(self) -> int | None:
        """When the caller next acts by itself."""
        return self._caller.next_deadline()

    def _fitted(self, message: Message) -> Message:
        if message.kind not in _OPENING:
            return message
        head = RequestHead.decode(message.body)
        if self._fitting.is_here and "://" in head.path:
            head = replace(head, path=urlsplit(head.path).path or "/")
        head = replace(head, headers=(*head.headers, *self._fitting.headers))
        body = message.payload
        if self._fitting.address is not None and body:
            body = with_address(head, body, self._provider, self._fitting.address, _unnoted)
        return message._replace(body=head.encode(), payload=body)


def _unnoted(*_: object, **__: object) -> None:
    """The request is this program's own: there is no other form of it to be told of."""
