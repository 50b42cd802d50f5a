"""The frame of a simulator: its time, its way out, and who takes which kind of message."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from recorder.events import Kind, Message
from recorder.heads import Close, ResponseHead
from replay.simulators.common import SEED_HEADER


class Simulator(ABC):
    """A seeded stand-in for a service, as a `Machine`.

    Session times come from `wall_ns` (nanoseconds since 1970 at the first message). Answers to
    upgrades and requests tell the seed in a header.
    """

    def __init__(self, seed: int, wall_ns: int) -> None:
        self._seed = (SEED_HEADER, str(seed))
        self._wall_ns = wall_ns
        self._began: int | None = None
        self._now = 0
        self._outbox: list[Message] = []
        self._receivers: dict[str, Callable[[Message, int], None]] = {
            "ws.open": self._opened,
            "ws.text": self._text,
            "ws.binary": self._binary,
            "ws.close": self._closed,
            "http.request": self._requested,
        }

    def receive(self, message: Message, now: int) -> None:
        """Take one message; other kinds than those of a client are for the shell alone."""
        self._advance(now)
        receiver = self._receivers.get(message.kind)
        if receiver is not None:
            receiver(message, now)

    def due(self, now: int) -> list[Message]:
        """What is to be sent by `now`."""
        self._advance(now)
        sent, self._outbox = self._outbox, []
        return sent

    def next_deadline(self) -> int | None:
        """The time of the next event of any conversation, or of what already waits."""
        return self._now if self._outbox else self._next()

    @abstractmethod
    def _run(self, now: int) -> None:
        """Do what the conversations have due by `now`."""

    @abstractmethod
    def _next(self) -> int | None:
        """When a conversation next has something to do, or None."""

    @abstractmethod
    def _opened(self, message: Message, now: int) -> None: ...

    @abstractmethod
    def _text(self, message: Message, now: int) -> None: ...

    @abstractmethod
    def _binary(self, message: Message, now: int) -> None: ...

    @abstractmethod
    def _closed(self, message: Message, now: int) -> None: ...

    @abstractmethod
    def _requested(self, message: Message, now: int) -> None: ...

    def _wall(self, now: int) -> int:
        """Nanoseconds since 1970."""
        return self._wall_ns + now - (now if self._began is None else self._began)

    def _wall_s(self, now: int) -> int:
        return self._wall(now) // 1_000_000_000

    def _advance(self, now: int) -> None:
        if self._began is None:
            self._began = now
        self._now = max(self._now, now)
        self._run(now)

    def _send(self, channel: int, kind: Kind, body: bytes, payload: bytes = b"") -> None:
        self._outbox.append(Message(channel, kind, body, payload))

    def _post(self, channel: int, body: bytes) -> None:
        self._send(channel, "ws.text", body)

    def _accept(self, channel: int, subprotocol: str | None = None) -> None:
        head = ResponseHead(101, "Switching Protocols", (self._seed,), subprotocol)
        self._send(channel, "ws.open", head.encode())

    def _close(self, channel: int, code: int, reason: str = "") -> None:
        self._send(channel, "ws.close", Close(code, reason).encode())
