"""Recording what passes between two machines, where there is no socket to listen at."""

from __future__ import annotations

from recorder.capture.log import ChannelLog, DeliveryLog, Log
from recorder.clock import VirtualClock
from recorder.events import Machine, Message
from recorder.heads import Close, RequestHead, ResponseHead


class Taped:
    """`provider` with a recorder before it: what it is sent and what it says goes into `log`, which
    is stamped by `clock`; this follows the time that is told here."""

    def __init__(self, provider: Machine, log: Log, clock: VirtualClock) -> None:
        self._provider, self._log, self._clock = provider, log, clock
        self._lines: dict[int, ChannelLog] = {}
        self._names: dict[int, str] = {}
        self._deliveries: dict[int, DeliveryLog] = {}

    def receive(self, message: Message, now: int) -> None:
        """What the client says."""
        self._clock.advance_to(now)
        channel, kind, body = message.channel, message.kind, message.body
        if kind in ("ws.open", "http.request"):
            head = RequestHead.decode(body)
            name = self._names[channel] = f"{head.method} {head.path}"
            lines = self._log.channel("ws" if kind == "ws.open" else "http", head)
            self._lines[channel] = lines
            lines.add("client", kind, name, body)
            if kind == "http.request":
                lines.body("client", name, message.payload)
        elif kind == "webhook.response":
            self._answered(channel, ResponseHead.decode(body), message.payload)
        elif channel in self._lines:
            type_ = str(Close.decode(body).code) if kind == "ws.close" else ""
            self._lines[channel].add("client", kind, type_, body)
            if kind == "ws.close":
                self._end(channel)
        self._provider.receive(message, now)

    def due(self, now: int) -> list[Message]:
        """What the provider says."""
        self._clock.advance_to(now)
        sent = self._provider.due(now)
        for message in sent:
            if message.kind == "webhook.request":
                head = RequestHead.decode(message.body)
                delivery = self._log.delivery(head, message.payload)
                self._deliveries[message.channel] = delivery
            elif message.channel in self._lines:
                self._said(self._lines[message.channel], message)
        return sent

    def next_deadline(self) -> int | None:
        """That of the provider."""
        return self._provider.next_deadline()

    def _said(self, lines: ChannelLog, message: Message) -> None:
        channel, kind, body = message.channel, message.kind, message.body
        if kind in ("ws.text", "ws.binary"):
            lines.add("provider", kind, "", body)
            return
        if kind == "ws.close":
            lines.add("provider", kind, str(Close.decode(body).code), body)
            self._end(channel)
            return
        status = ResponseHead.decode(body).status
        lines.add("provider", kind, str(status), body)
        if kind == "http.response":
            lines.body("provider", self._names[channel], message.payload)
        elif message.payload:
            lines.add("provider", "http.chunk", "", message.payload)
        if kind == "http.response" or status != 101:
            self._end(channel)

    def _answered(self, channel: int, head: ResponseHead, body: bytes) -> None:
        delivery = self._deliveries.pop(channel, None)
        if delivery is not None:
            delivery.answered(head, body)
            delivery.end()

    def _end(self, channel: int) -> None:
        self._lines.pop(channel).end()
