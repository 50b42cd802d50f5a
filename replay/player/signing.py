"""Webhooks of a machine signed as they go out: a tape has no secrets to sign them with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from recorder.events import Machine, Message
from recorder.heads import Headers, RequestHead

Sign = Callable[[Headers, bytes], Headers]


class Signed:
    """`machine`, the headers of whose webhooks are what `sign` makes of them and their bodies."""

    def __init__(self, machine: Machine, sign: Sign) -> None:
        self._machine, self._sign = machine, sign

    def receive(self, message: Message, now: int) -> None:
        """As the machine does."""
        self._machine.receive(message, now)

    def due(self, now: int) -> list[Message]:
        """What the machine has to send."""
        return [
            self._signed(message) if message.kind == "webhook.request" else message
            for message in self._machine.due(now)
        ]

    def next_deadline(self) -> int | None:
        """As the machine has it."""
        return self._machine.next_deadline()

    def _signed(self, message: Message) -> Message:
        head = RequestHead.decode(message.body)
        signed = replace(head, headers=self._sign(head.headers, message.payload))
        return message._replace(body=signed.encode())
