"""One live WebSocket of a server: its messages to the machine, the machine's to the socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Literal

import aiohttp
from aiohttp import WSMsgType, web

from recorder.capture.log import FAULT, ChannelLog, Log
from recorder.events import Kind, Message
from recorder.heads import LOST, Close

MAX_MESSAGE = 32 << 20
_CLOSING_S = 5.0
_NO_CODE = 1005  # a close frame without a code (RFC 6455, 7.1.5)
_KINDS: dict[WSMsgType, Kind] = {WSMsgType.TEXT: "ws.text", WSMsgType.BINARY: "ws.binary"}
_Socket = web.WebSocketResponse[Literal[False]]


class Connection:
    """Runs until both sides have closed. `outbox` holds what the machine wants to send."""

    def __init__(
        self,
        channel: int,
        socket: _Socket,
        outbox: asyncio.Queue[Message],
        feed: Callable[[Message], None],
        log: Log,
        lines: ChannelLog,
        transport: asyncio.Transport | None,
    ) -> None:
        self._channel, self._socket, self._outbox = channel, socket, outbox
        self._feed, self._log, self._lines = feed, log, lines
        self._transport = transport

    async def run(self) -> None:
        """Pass messages both ways; the first close wins and is recorded."""
        sending = asyncio.create_task(self._send_all())
        receiving = asyncio.create_task(self._receive_all())
        try:
            await asyncio.wait({sending, receiving}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                await asyncio.wait({receiving}, timeout=_CLOSING_S)
            else:
                await self._closed(receiving.result(), sending)
        finally:
            sending.cancel()
            receiving.cancel()
            await asyncio.gather(sending, receiving, return_exceptions=True)

    async def _receive_all(self) -> Close:
        """Feed the machine until the client's close, which is returned."""
        receive, add, feed = self._socket.receive, self._lines.add, self._feed
        while True:
            message = await receive()
            kind = _KINDS.get(message.type)
            if kind is None:
                return _close_of(message)
            data: bytes = message.data
            add("client", kind, "", data)
            feed(Message(self._channel, kind, data))
            await self._log.room()

    async def _send_all(self) -> None:
        """Send what the machine says, up to its close."""
        while True:
            message = await self._outbox.get()
            if message.kind == "ws.close":
                close = Close.decode(message.body)
                self._lines.add("provider", "ws.close", str(close.code), message.body)
                await self._send_close(close)
                self._outbox.task_done()
                return
            if message.kind == "note":
                self._lines.note(FAULT, message.body)
                self._outbox.task_done()
                continue
            opcode = WSMsgType.TEXT if message.kind == "ws.text" else WSMsgType.BINARY
            self._lines.add("provider", message.kind, "", message.body)
            try:
                await self._socket.send_frame(message.body, opcode)
            except (ConnectionError, aiohttp.ClientError):
                self._outbox.task_done()
                return  # the receiving side learns of the loss and reports it
            self._outbox.task_done()

    async def _closed(self, close: Close, sending: asyncio.Task[None]) -> None:
        """The client closed: what the machine still has on its way goes out before the answer."""
        self._feed(Message(self._channel, "ws.close", close.encode()))
        emptied = asyncio.create_task(self._outbox.join())
        try:
            await asyncio.wait(
                {emptied, sending}, timeout=_CLOSING_S, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            emptied.cancel()
        self._lines.add("client", "ws.close", str(close.code), close.encode())
        if close.code != LOST and not sending.done():
            await self._send_close(close)

    async def _send_close(self, close: Close) -> None:
        if close.code == LOST:
            self._abort()
            return
        payload = b""
        if close.code != _NO_CODE:
            payload = close.code.to_bytes(2, "big") + close.reason.encode()
        try:
            await self._socket.send_frame(payload, WSMsgType.CLOSE)
        except (ConnectionError, aiohttp.ClientError):
            self._abort()

    def _abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()


def _close_of(message: Any) -> Close:
    if message.type is WSMsgType.CLOSE:
        return Close(message.data or _NO_CODE, message.extra or "")
    if message.type is WSMsgType.ERROR and isinstance(message.data, aiohttp.WebSocketError):
        return Close(message.data.code, str(message.data))
    return Close(LOST)
