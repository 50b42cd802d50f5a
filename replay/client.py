"""A client machine against a real URL: one WebSocket, on the real clock."""

from __future__ import annotations

import asyncio

import aiohttp
from aiohttp import WSMsgType

from recorder.capture.proxy.dial import Dialer, Refused, Socket
from recorder.capture.proxy.relay import Side, send_close
from recorder.clock import Clock
from recorder.errors import RecorderError
from recorder.events import Kind, Machine, Message
from recorder.heads import Close, RequestHead

_KINDS: dict[WSMsgType, Kind] = {WSMsgType.TEXT: "ws.text", WSMsgType.BINARY: "ws.binary"}
_OPCODES = {kind: opcode for opcode, kind in _KINDS.items()}
_LOST = 1006


class Conversation:
    """Runs a client machine over one connection until either side closes it.

    The machine's first message is its `ws.open`; `base` is the URL that its path follows. At a
    `speed` of 10 a second is a tenth for the machine's clock.
    """

    def __init__(self, machine: Machine, base: str, clock: Clock, speed: float = 1.0) -> None:
        self._machine, self._base, self._clock, self._speed = machine, base, clock, speed
        self._changed = asyncio.Event()

    async def run(self, limit_s: float) -> None:
        """Converse; RecorderError if it takes longer than `limit_s` or nobody can be reached."""
        dialer = Dialer()
        try:
            async with asyncio.timeout(limit_s):
                await self._open(dialer)
        except TimeoutError:
            raise RecorderError(f"the conversation did not end within {limit_s:g} s") from None
        finally:
            await dialer.close()

    async def _open(self, dialer: Dialer) -> None:
        opening = self._machine.due(self._now())[0]
        channel = opening.channel
        try:
            socket = await dialer.dial(self._base, RequestHead.decode(opening.body))
        except Refused as refused:
            refusal = Message(channel, "ws.open", refused.head.encode(), refused.body)
            self._machine.receive(refusal, self._now())
            return
        self._machine.receive(Message(channel, "ws.open", socket.head.encode()), self._now())
        talking = asyncio.create_task(self._talk(socket.ws))
        try:
            await self._listen(socket, channel)
        finally:
            talking.cancel()
            await socket.drop()

    async def _listen(self, socket: Socket, channel: int) -> None:
        while True:
            message = await socket.ws.receive()
            kind = _KINDS.get(message.type)
            if message.type is WSMsgType.PING:
                await socket.ws.pong(message.data)
            elif kind:
                self._machine.receive(Message(channel, kind, message.data), self._now())
                self._changed.set()
            elif message.type is not WSMsgType.PONG:
                self._closed(channel, message.data, message.extra)
                return

    async def _talk(self, ws: Side) -> None:
        """Send what the machine has to say when it is due, or has been caused."""
        while True:
            self._changed.clear()
            for message in self._machine.due(self._now()):
                await self._send(ws, message)
            deadline = self._machine.next_deadline()
            left = None if deadline is None else (deadline - self._now()) / 1e9 / self._speed
            try:
                await asyncio.wait_for(self._changed.wait(), left and max(left, 0))
            except TimeoutError:
                continue

    def _now(self) -> int:
        return int(self._clock.now_ns() * self._speed)

    async def _send(self, ws: Side, message: Message) -> None:
        try:
            if message.kind == "ws.close":
                await send_close(ws, Close.decode(message.body))
            else:
                await ws.send_frame(message.body, _OPCODES[message.kind])
        except (ConnectionError, aiohttp.ClientError):
            return  # `_listen` sees the end of the connection and tells the machine

    def _closed(self, channel: int, code: object, reason: object) -> None:
        close = Close(code if isinstance(code, int) and code else _LOST, str(reason or ""))
        self._machine.receive(Message(channel, "ws.close", close.encode()), self._now())
