"""A client machine against a real URL: its WebSockets and requests, on the real clock."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit

import aiohttp
from aiohttp import WSMsgType

from recorder.capture.log import ChannelLog, Log
from recorder.capture.proxy.dial import Dialer, Refused, Socket, Unreachable, why_not
from recorder.capture.proxy.headers import pairs
from recorder.capture.proxy.relay import Side, send_close
from recorder.capture.proxy.upstream import outgoing, shown
from recorder.clock import Clock
from recorder.errors import RecorderError
from recorder.events import Kind, Machine, Message
from recorder.heads import LOST, Close, RequestHead, ResponseHead, header

_KINDS: dict[WSMsgType, Kind] = {WSMsgType.TEXT: "ws.text", WSMsgType.BINARY: "ws.binary"}
_OPCODES = {kind: opcode for opcode, kind in _KINDS.items()}
_CLOSING_S = 5.0  # for the other side to answer a close


class Client(Machine, Protocol):
    """A machine that opens channels, and says when it is done."""

    @property
    def finished(self) -> bool:
        """Whether nothing but the answers to its closes is waited for."""
        ...


class _Line(NamedTuple):
    """One channel: what is to be sent on it, and the task that holds it."""

    outbox: asyncio.Queue[Message]
    task: asyncio.Task[None]


class Conversation:
    """Runs a client machine until it has finished, or nothing is open and nothing to come.

    `base` is the URL that paths follow; a path that is a URL itself goes there. `headers` go
    with every head to `base` that has none of that name. `log` records what crosses.
    At a `speed` of 10 a second is a tenth for the machine's clock.
    """

    def __init__(
        self,
        machine: Client,
        base: str,
        clock: Clock,
        speed: float = 1.0,
        *,
        log: Log | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._machine, self._base, self._clock, self._speed = machine, base, clock, speed
        self._log, self._headers = log or Log(), dict(headers or {})
        self._lines: dict[int, _Line] = {}
        self._failure: BaseException | None = None
        self._changed = asyncio.Event()
        self._dialer: Dialer

    async def run(self, limit_s: float) -> None:
        """Converse. RecorderError if it takes longer than `limit_s` or nobody can be reached; what
        goes wrong in the machine is raised as it is."""
        self._dialer = Dialer()
        try:
            async with asyncio.timeout(limit_s):
                await self._pump()
                await self._close()
        except TimeoutError:
            raise RecorderError(f"the conversation did not end within {limit_s:g} s") from None
        finally:
            await self._drop()
            await self._dialer.close()

    def wake(self) -> None:
        """Look at the machine again: something else than a message has changed it."""
        self._changed.set()

    async def _pump(self) -> None:
        """Hand out what the machine has to say when it is due, or has been caused."""
        while True:
            self._changed.clear()
            self._check()
            for message in self._machine.due(self._now()):
                self._hand(message)
            deadline = self._machine.next_deadline()
            if self._machine.finished or (not self._lines and deadline is None):
                return
            left = None if deadline is None else (deadline - self._now()) / 1e9 / self._speed
            try:
                await asyncio.wait_for(self._changed.wait(), left and max(left, 0))
            except TimeoutError:
                continue

    async def _close(self) -> None:
        """Send what is left, and give the other side time to answer the closes."""
        if tasks := [line.task for line in self._lines.values()]:
            await asyncio.wait(tasks, timeout=_CLOSING_S)
        self._check()

    async def _drop(self) -> None:
        tasks = [line.task for line in self._lines.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _hand(self, message: Message) -> None:
        """Begin a channel, or send on one; what is for a channel that has ended is dropped."""
        if message.kind in ("ws.open", "http.request"):
            outbox: asyncio.Queue[Message] = asyncio.Queue()
            run = self._socket if message.kind == "ws.open" else self._exchange
            task = asyncio.create_task(run(message, outbox))
            self._lines[message.channel] = _Line(outbox, task)
            task.add_done_callback(lambda done: self._ended(message.channel, done))
        elif message.channel in self._lines:
            self._lines[message.channel].outbox.put_nowait(message)

    def _ended(self, channel: int, task: asyncio.Task[None]) -> None:
        del self._lines[channel]
        if not task.cancelled() and self._failure is None:
            self._failure = task.exception()
        self._changed.set()

    def _take(self, message: Message) -> None:
        self._machine.receive(message, self._now())
        self._changed.set()

    def _now(self) -> int:
        return int(self._clock.now_ns() * self._speed)

    def _target(self, head: RequestHead) -> tuple[str, RequestHead]:
        """The URL before the path, and the head as it is sent."""
        if "://" in head.path:
            url = urlsplit(head.path)
            return f"{url.scheme}://{url.netloc}", replace(head, path=url.path or "/")
        more = [pair for pair in self._headers.items() if header(head.headers, pair[0]) is None]
        return self._base, replace(head, headers=(*head.headers, *more))

    # WebSockets

    async def _socket(self, opening: Message, outbox: asyncio.Queue[Message]) -> None:
        channel = opening.channel
        base, head = self._target(RequestHead.decode(opening.body))
        lines = self._log.channel("ws", head)
        lines.add("client", "ws.open", f"{head.method} {head.path}", head.encode())
        try:
            socket = await self._dialer.dial(base, head)
        except Refused as refused:
            answer = refused.head
            lines.add("provider", "ws.open", str(answer.status), answer.encode())
            lines.body("provider", "", refused.body)
            lines.end()
            self._take(Message(channel, "ws.open", answer.encode(), refused.body))
            return
        try:
            lines.add("provider", "ws.open", str(socket.head.status), socket.head.encode())
            self._take(Message(channel, "ws.open", socket.head.encode()))
            await self._hold(channel, socket, outbox, lines)
        finally:
            lines.end()
            await socket.drop()

    async def _hold(
        self, channel: int, socket: Socket, outbox: asyncio.Queue[Message], lines: ChannelLog
    ) -> None:
        """Pass messages both ways until the other side has closed, or nothing can be sent."""
        ws = socket.ws
        talking = asyncio.create_task(self._talk(ws, outbox, lines))
        listening = asyncio.create_task(self._listen(channel, ws, lines))
        try:
            await asyncio.wait({talking, listening}, return_when=asyncio.FIRST_COMPLETED)
            if talking.done():
                talking.result()
                await asyncio.wait({listening}, timeout=_CLOSING_S)
            if listening.done():
                close = listening.result()
                if not talking.done() and close.code != LOST:
                    await send_close(ws, close)
        finally:
            talking.cancel()
            listening.cancel()
            await asyncio.gather(talking, listening, return_exceptions=True)

    async def _listen(self, channel: int, ws: Side, lines: ChannelLog) -> Close:
        """Tell the machine what comes, up to the other side's close."""
        while True:
            message = await ws.receive()
            kind = _KINDS.get(message.type)
            if kind:
                lines.add("provider", kind, "", message.data)
                self._take(Message(channel, kind, message.data))
                await self._log.room()
            elif message.type is WSMsgType.PING:
                lines.add("provider", "ws.ping", "", message.data)
                await ws.pong(message.data)
                lines.add("client", "ws.pong", "", message.data)
            elif message.type is not WSMsgType.PONG:
                close = _close_of(message.data, message.extra)
                lines.add("provider", "ws.close", str(close.code), close.encode())
                self._take(Message(channel, "ws.close", close.encode()))
                return close

    async def _talk(self, ws: Side, outbox: asyncio.Queue[Message], lines: ChannelLog) -> None:
        """Send what the machine says, up to its close."""
        while True:
            message = await outbox.get()
            if message.kind == "ws.close":
                close = Close.decode(message.body)
                lines.add("client", "ws.close", str(close.code), message.body)
                await send_close(ws, close)
                return
            lines.add("client", message.kind, "", message.body)
            try:
                await ws.send_frame(message.body, _OPCODES[message.kind])
            except (ConnectionError, aiohttp.ClientError):
                return  # `_listen` sees the end of the connection and tells the machine

    # Requests

    async def _exchange(self, asked: Message, outbox: asyncio.Queue[Message]) -> None:
        base, head = self._target(RequestHead.decode(asked.body))
        lines = self._log.channel("http", head)
        name = f"{head.method} {head.path}"
        lines.add("client", "http.request", name, head.encode())
        lines.body("client", name, asked.payload)
        try:
            answer, body = await self._ask(base, head, asked.payload)
            lines.add("provider", "http.response", str(answer.status), answer.encode())
            lines.body("provider", name, body)
        finally:
            lines.end()
        self._take(Message(asked.channel, "http.response", answer.encode(), body))

    async def _ask(self, base: str, head: RequestHead, body: bytes) -> tuple[ResponseHead, bytes]:
        url, headers = outgoing(base, head)
        headers.popall("content-length", None)
        headers["Accept-Encoding"] = "identity"
        try:
            async with self._dialer.http.request(
                head.method, url, headers=headers, data=body or None, allow_redirects=False
            ) as response:
                said = await response.read()
        except (aiohttp.ClientError, OSError) as error:
            why = why_not(error)
            raise Unreachable(f"cannot reach {shown(base)}: {why}; check the URL") from None
        status, reason = response.status, response.reason or ""
        return ResponseHead(status, reason, pairs(response.raw_headers)), said


def _close_of(code: object, reason: object) -> Close:
    return Close(code if isinstance(code, int) and code else LOST, str(reason or ""))
