"""Wrappers of `websockets` client connections that record what passes through them.

    ws = session.wrap(await websockets.connect(url))

Recorded is what the program sends and reads, with its opcode, what it had not read when it closed,
and how the connection closed. What the library does by itself (its keepalive pings, its pongs)
cannot be seen from here.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from threading import Lock
from types import TracebackType
from typing import Any, Self

from websockets.asyncio.client import ClientConnection as AsyncClientConnection
from websockets.exceptions import ConcurrencyError, ConnectionClosed, ConnectionClosedOK
from websockets.sync.client import ClientConnection
from websockets.typing import Data, DataLike

from recorder.capture.hooks.gate import Gate
from recorder.events import Kind, Sender
from recorder.heads import LOST, Close, RequestHead, ResponseHead

_BYTES = (bytes, bytearray, memoryview)
_PING_BYTES = 4


class _Channel:
    """The channel of one connection: its opening, its messages, its end."""

    def __init__(
        self,
        connection: ClientConnection | AsyncClientConnection,
        gate: Gate,
        on_close: Callable[[], None],
    ) -> None:
        self._connection, self.gate, self._on_close = connection, gate, on_close
        self._lock = Lock()
        self.over = False
        self.late: deque[Data] = deque()  # recorded at the close, read by the program after it
        request, response = connection.request, connection.response
        if request is None or response is None:
            raise ValueError("the connection is not open: wrap it after its handshake")
        path, _, query = request.path.partition("?")
        asked = RequestHead("GET", path, query, tuple(request.headers.raw_items()))
        answered = ResponseHead(
            response.status_code,
            response.reason_phrase,
            tuple(response.headers.raw_items()),
            connection.subprotocol,
        )
        self._number = gate.tape.channel("ws", path)
        self.record("client", "ws.open", asked.encode(), f"GET {path}")
        self.record("provider", "ws.open", answered.encode(), str(answered.status))

    def record(self, sender: Sender, kind: Kind, body: bytes, type_: str = "") -> None:
        self.gate.record(self._number, sender, kind, type_, body)

    def sent(self, message: str | bytes, text: bool | None) -> None:
        """Record a message that is about to be sent."""
        is_text = isinstance(message, str) if text is None else text
        self.record("client", "ws.text" if is_text else "ws.binary", _bytes(message))

    def received(self, message: Data) -> Data:
        """Record a message that was read, and return it."""
        kind: Kind = "ws.text" if isinstance(message, str) else "ws.binary"
        self.record("provider", kind, _bytes(message))
        return message

    def unsent(self, error: BaseException) -> None:
        """Say that the message recorded last did not go out."""
        self.gate.note(self._number, "unsent", f"{type(error).__name__}: {error}")

    def closed(self) -> None:
        """Record, once, how the connection closed and who began it."""
        with self._lock:
            if self.over:
                return
            self.over = True
        if self.gate.is_open:
            sender, close = self._closer()
            self.record(sender, "ws.close", close.encode(), str(close.code))
            self.gate.tape.end_channel(self._number)
        self._on_close()

    def _closer(self) -> tuple[Sender, Close]:
        protocol = self._connection.protocol
        received, sent = protocol.close_rcvd, protocol.close_sent
        if received and (sent is None or protocol.close_rcvd_then_sent):
            return "provider", Close(int(received.code), received.reason)
        if sent:
            return "client", Close(int(sent.code), sent.reason)
        return "provider", Close(LOST)


class RecordedConnection:
    """A synchronous client connection; what is not here is passed to the one that it wraps."""

    def __init__(
        self, connection: ClientConnection, gate: Gate, on_close: Callable[[], None]
    ) -> None:
        self._connection, self._gate = connection, gate
        self._channel = _Channel(connection, gate, on_close)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.close(1011)

    def __iter__(self) -> Iterator[Data]:
        try:
            while True:
                yield self.recv()
        except ConnectionClosedOK:
            return

    def recv(self, timeout: float | None = None, decode: bool | None = None) -> Data:
        """As `Connection.recv`; what was read is recorded."""
        if self._channel.late:
            return _as_asked(self._channel.late.popleft(), decode)
        if self._channel.over:
            return self._connection.recv(timeout, decode)
        self._gate.wait()
        try:
            message = self._connection.recv(timeout)
        except ConnectionClosed:
            self._channel.closed()
            raise
        return _as_asked(self._channel.received(message), decode)

    def recv_streaming(self, decode: bool | None = None) -> Iterator[Data]:
        """As `Connection.recv_streaming`; the message is recorded when it is whole."""
        self._gate.wait()
        pieces: list[Data] = []
        try:
            for piece in self._connection.recv_streaming():
                pieces.append(piece)
                yield _as_asked(piece, decode)
        except ConnectionClosed:
            self._channel.closed()
            raise
        self._channel.received(_joined(pieces))

    def send(self, message: DataLike | Iterable[DataLike], text: bool | None = None) -> None:
        """As `Connection.send`; what is sent is recorded first."""
        if self._channel.over:
            return self._connection.send(message, text)
        self._gate.wait()
        if isinstance(message, (str, *_BYTES)):
            self._channel.sent(_plain(message), text)
        elif isinstance(message, Iterable) and not hasattr(message, "keys"):
            message = self._teed(message, text)
        try:
            self._connection.send(message, text)
        except ConnectionClosed as error:
            self._channel.unsent(error)
            self._channel.closed()
            raise

    def ping(self, data: DataLike | None = None, ack_on_close: bool = False) -> Any:
        """As `Connection.ping`."""
        payload = _payload(data)
        self._gate.wait()
        self._channel.record("client", "ws.ping", payload)
        return self._connection.ping(payload, ack_on_close)

    def pong(self, data: DataLike = b"") -> None:
        """As `Connection.pong`."""
        self._gate.wait()
        self._channel.record("client", "ws.pong", _bytes(_plain(data)))
        self._connection.pong(data)

    def close(self, code: int = 1000, reason: str = "") -> None:
        """As `Connection.close`; then the channel is over."""
        self._connection.close(code, reason)
        self._read_rest()
        self._channel.closed()

    def _read_rest(self) -> None:
        """Record what came before the close and was not read, unless somebody is reading it."""
        with suppress(ConnectionClosed, ConcurrencyError):
            while self._gate.is_open and not self._channel.over:
                self._channel.late.append(self._channel.received(self._connection.recv()))

    def _teed(self, fragments: Iterable[DataLike], text: bool | None) -> Iterator[DataLike]:
        """Fragments on their way; the message is recorded before its last frame goes out."""
        kept: list[str | bytes] = []
        for fragment in fragments:
            kept.append(_plain(fragment))
            yield fragment
        if kept:
            self._channel.sent(_joined(kept), text)


class AsyncRecordedConnection:
    """An asyncio client connection; what is not here is passed to the one that it wraps."""

    def __init__(
        self, connection: AsyncClientConnection, gate: Gate, on_close: Callable[[], None]
    ) -> None:
        self._connection, self._gate = connection, gate
        self._channel = _Channel(connection, gate, on_close)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            await self.close()
        else:
            await self.close(1011)

    async def __aiter__(self) -> AsyncIterator[Data]:
        try:
            while True:
                yield await self.recv()
        except ConnectionClosedOK:
            return

    async def recv(self, decode: bool | None = None) -> Data:
        """As `Connection.recv`; what was read is recorded. Cancelling it loses nothing."""
        if self._channel.late:
            return _as_asked(self._channel.late.popleft(), decode)
        if self._channel.over:
            return await self._connection.recv(decode)
        await self._gate.wait_async()
        try:
            message = await self._connection.recv()
        except ConnectionClosed:
            self._channel.closed()
            raise
        return _as_asked(self._channel.received(message), decode)

    async def recv_streaming(self, decode: bool | None = None) -> AsyncIterator[Data]:
        """As `Connection.recv_streaming`; the message is recorded when it is whole."""
        await self._gate.wait_async()
        pieces: list[Data] = []
        try:
            async for piece in self._connection.recv_streaming():
                pieces.append(piece)
                yield _as_asked(piece, decode)
        except ConnectionClosed:
            self._channel.closed()
            raise
        self._channel.received(_joined(pieces))

    async def send(
        self,
        message: DataLike | Iterable[DataLike] | AsyncIterable[DataLike],
        text: bool | None = None,
    ) -> None:
        """As `Connection.send`; what is sent is recorded first."""
        if self._channel.over:
            return await self._connection.send(message, text)
        await self._gate.wait_async()
        if isinstance(message, (str, *_BYTES)):
            self._channel.sent(_plain(message), text)
        elif isinstance(message, AsyncIterable):
            message = self._teed_async(message, text)
        elif isinstance(message, Iterable) and not hasattr(message, "keys"):
            message = self._teed_async(_as_async(message), text)
        try:
            await self._connection.send(message, text)
        except ConnectionClosed as error:
            self._channel.unsent(error)
            self._channel.closed()
            raise

    async def ping(self, data: DataLike | None = None) -> Awaitable[float]:
        """As `Connection.ping`."""
        payload = _payload(data)
        await self._gate.wait_async()
        self._channel.record("client", "ws.ping", payload)
        return await self._connection.ping(payload)

    async def pong(self, data: DataLike = b"") -> None:
        """As `Connection.pong`."""
        await self._gate.wait_async()
        self._channel.record("client", "ws.pong", _bytes(_plain(data)))
        await self._connection.pong(data)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """As `Connection.close`; then the channel is over."""
        await self._connection.close(code, reason)
        await self._read_rest()
        self._channel.closed()

    async def _read_rest(self) -> None:
        """Record what came before the close and was not read, unless somebody is reading it."""
        with suppress(ConnectionClosed, ConcurrencyError):
            while self._gate.is_open and not self._channel.over:
                self._channel.late.append(self._channel.received(await self._connection.recv()))

    async def _teed_async(
        self, fragments: AsyncIterable[DataLike], text: bool | None
    ) -> AsyncIterator[DataLike]:
        kept: list[str | bytes] = []
        async for fragment in fragments:
            kept.append(_plain(fragment))
            yield fragment
        if kept:
            self._channel.sent(_joined(kept), text)


async def _as_async(fragments: Iterable[DataLike]) -> AsyncIterator[DataLike]:
    for fragment in fragments:
        yield fragment


def _plain(message: DataLike) -> str | bytes:
    return message if isinstance(message, str) else bytes(message)


def _bytes(message: str | bytes) -> bytes:
    return message.encode() if isinstance(message, str) else message


def _joined(pieces: list[Any]) -> Any:
    empty = "" if pieces and isinstance(pieces[0], str) else b""
    return empty.join(pieces)


def _as_asked(message: Data, decode: bool | None) -> Data:
    """A message in the form that `decode` asks for (see `Connection.recv`)."""
    if decode is True and isinstance(message, bytes):
        return message.decode()
    if decode is False and isinstance(message, str):
        return message.encode()
    return message


def _payload(data: DataLike | None) -> bytes:
    """The payload of a ping; the library would draw random bytes that could not be recorded."""
    return os.urandom(_PING_BYTES) if data is None else _bytes(_plain(data))
