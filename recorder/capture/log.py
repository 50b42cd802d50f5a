"""Where a server writes down what passes: a tape that is being recorded, or nowhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Protocol

from recorder.capture.proxy.webhooks import PREFIX
from recorder.capture.tap import Tape
from recorder.events import Kind, Sender
from recorder.heads import RequestHead, ResponseHead
from recorder.providers.base import Webhooks
from recorder.store.base import ChannelKind

FAULT = "fault"
"""The type of the notes that machines hand out."""


class Queued(Protocol):
    """The part of a writer that tells whether it keeps up."""

    @property
    def full(self) -> bool:
        """Whether its queue holds as much as it may."""
        ...

    async def room(self) -> None:
        """Wait until there is room."""
        ...


class ChannelLog:
    """One channel of a tape; without a tape it drops everything."""

    def __init__(self, tape: Tape | None, kind: ChannelKind, target: str) -> None:
        self._tape = tape
        self._number = tape.channel(kind, target) if tape else 0

    def add(self, sender: Sender, kind: Kind, type_: str, body: bytes) -> None:
        """Record one event now."""
        if self._tape:
            self._tape.record(self._number, sender, kind, type_, body)

    def body(self, sender: Sender, type_: str, body: bytes) -> None:
        """Record a whole HTTP body: one piece, then its end."""
        if body:
            self.add(sender, "http.chunk", type_, body)
        self.add(sender, "http.chunk", type_, b"")

    def note(self, type_: str, body: bytes) -> None:
        """Record a remark of the recorder."""
        self.add("recorder", "note", type_, body)

    def end(self) -> None:
        """Nothing more comes on this channel."""
        if self._tape:
            self._tape.end_channel(self._number)


class DeliveryLog:
    """One webhook, in the form in which the proxy records it."""

    def __init__(self, lines: ChannelLog, type_: str, head: RequestHead, body: bytes) -> None:
        self._lines, self._type = lines, type_
        lines.add("provider", "webhook.request", type_, head.encode())
        lines.body("provider", type_, body)

    def answered(self, head: ResponseHead, body: bytes) -> None:
        """The application's answer."""
        self._lines.add("client", "webhook.response", str(head.status), head.encode())
        self._lines.body("client", self._type, body)

    def failed(self, reason: str) -> None:
        """There is no answer."""
        text = json.dumps({"message": reason}, ensure_ascii=False).encode()
        self._lines.add("recorder", "note", "unreachable", text)

    def end(self) -> None:
        """Nothing more comes of it."""
        self._lines.end()


class Log:
    """Opens a channel for each exchange, on the tape that `tape_for` gives, and makes room when
    the writer cannot keep up. Without `tape_for` nothing is recorded. `webhooks` names
    deliveries, which stand on the tape as if they had come to the recorder's address."""

    def __init__(
        self,
        tape_for: Callable[[RequestHead], Tape] | None = None,
        writer: Queued | None = None,
        webhooks: Webhooks | None = None,
        address: str = PREFIX,
    ) -> None:
        self._tape_for, self._writer = tape_for, writer
        self._webhooks, self._address = webhooks, address

    def delivery(self, head: RequestHead, body: bytes) -> DeliveryLog:
        """A webhook that goes out: `head` has the application's URL as its path."""
        query = head.path.partition("?")[2]
        told = RequestHead(head.method, self._address, query, head.headers)
        type_ = self._webhooks.read(body).type if self._webhooks else ""
        return DeliveryLog(self.channel("webhook", told), type_, told, body)

    def webhook_note(self, type_: str, body: bytes) -> None:
        """Record a remark about a delivery, which need not have come about."""
        lines = self.channel("webhook", RequestHead("POST", self._address))
        lines.note(type_, body)
        lines.end()

    def channel(self, kind: ChannelKind, head: RequestHead) -> ChannelLog:
        """A new channel for what begins with `head`."""
        return ChannelLog(self._tape_for(head) if self._tape_for else None, kind, head.path)

    async def room(self) -> None:
        """Wait while too much is queued."""
        if self._writer and self._writer.full:
            await self._writer.room()
