"""`MachineServer`: WebSockets and HTTP on one port, answered by a machine."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable
from typing import Literal, Self

from aiohttp import web
from multidict import CIMultiDict

from recorder.capture.log import FAULT, ChannelLog, Log
from recorder.capture.proxy.address import listen
from recorder.capture.proxy.headers import answered, request_head
from recorder.clock import Clock
from recorder.events import Machine, Message
from recorder.heads import Close, Headers, RequestHead, ResponseHead
from replay.server.connection import MAX_MESSAGE, Connection
from replay.server.courier import LIMIT_S, Courier

_ANSWER_S = 300.0  # how long a machine may take to answer a request or an upgrade
_SHUTDOWN_S = 2.0
_DRIP_S = 0.05  # between two pieces of an answer that is sent slowly
_GOING = 1001


class MachineServer:
    """Runs a machine behind real sockets while its context is open.

        async with MachineServer(machine, clock, prefix="/openai") as server:
            print(server.url)

    Channels are numbered from 1 as they come. Paths reach the machine without `prefix`, where
    they have it. `log` records what passes. `port` 0 picks a free one; RecorderError if it
    cannot be had. A `webhook.request` of the machine, on a channel of its own, is posted to the
    URL that is its path, and answered after at most `delivery_s`; a server that refuses connections
    is asked again for `starting_s`, until it has answered once. A `ws.close` of 1006 in place of an
    answer breaks the connection. Requests to the path `control` and below steer the machine: they
    are neither recorded nor counted.
    """

    def __init__(
        self,
        machine: Machine,
        clock: Clock,
        *,
        prefix: str,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        log: Log | None = None,
        delivery_s: float = LIMIT_S,
        starting_s: float = 0.0,
        control: str | None = None,
    ) -> None:
        self.url = ""
        self._machine, self._clock, self._prefix = machine, clock, prefix
        self._host, self._port, self._tls = host, port, tls
        self._log = log or Log()
        self._courier = Courier(self._feed, self._log, delivery_s, starting_s)
        self._outboxes: dict[int, asyncio.Queue[Message]] = {}
        self._sockets: set[int] = set()
        self._control = control
        self._channels = 0
        self._steering = 0  # of these channels
        self._timer: asyncio.TimerHandle | None = None
        self._changed = asyncio.Event()
        server = web.Server(self._handle, access_log=None)
        self._runner = web.ServerRunner(server, shutdown_timeout=_SHUTDOWN_S)
        # its warning would print the sub-protocols, where browsers put their key
        logging.getLogger("aiohttp.websocket").setLevel(logging.ERROR)

    async def __aenter__(self) -> Self:
        self.url = await listen(self._runner, self._host, self._port, self._tls)
        self._pump()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Tell open sockets that the server goes away, and stop listening."""
        if self._timer:
            self._timer.cancel()
        for channel in self._sockets:
            close = Close(_GOING, "the server is stopping")
            self._outboxes[channel].put_nowait(Message(channel, "ws.close", close.encode()))
        await self.until(lambda: not self._sockets, _SHUTDOWN_S)
        await self._courier.close()
        await self._runner.cleanup()

    async def until(self, done: Callable[[], bool], timeout_s: float | None = None) -> bool:
        """Wait until `done()`, asked after everything that happens here; False at the timeout."""
        try:
            async with asyncio.timeout(timeout_s):
                while not done():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True

    @property
    def connections(self) -> int:
        """How many WebSockets and requests are being served."""
        return len(self._outboxes)

    @property
    def served(self) -> int:
        """How many WebSockets, requests and answers to webhooks have come."""
        return self._channels - self._steering + self._courier.answered

    def _feed(self, message: Message) -> None:
        self._machine.receive(message, self._clock.now_ns())
        self._pump()

    def _pump(self) -> None:
        """Hand out what the machine has to say, and come back when it has more."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        now = self._clock.now_ns()
        for message in self._machine.due(now):
            if message.kind == "webhook.request":
                self._courier.post(message)
                continue
            outbox = self._outboxes.get(message.channel)
            if outbox is not None:
                outbox.put_nowait(message)
            elif message.kind == "note":
                self._log.webhook_note(FAULT, message.body)
        deadline = self._machine.next_deadline()
        if deadline is not None:
            delay = max(0, deadline - self._clock.now_ns()) / 1e9
            self._timer = asyncio.get_running_loop().call_later(delay, self._pump)
        self._changed.set()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        head = request_head(request, self._prefix)
        self._channels += 1
        channel = self._channels
        self._outboxes[channel] = asyncio.Queue()
        is_socket = request.headers.get("upgrade", "").strip().lower() == "websocket"
        log = self._log
        if self._control and f"{head.path}/".startswith(f"{self._control}/"):
            log = Log()
            self._steering += 1
        lines = log.channel("ws" if is_socket else "http", head)
        try:
            if is_socket:
                return await self._upgrade(channel, request, head, lines)
            return await self._exchange(channel, request, head, lines)
        finally:
            del self._outboxes[channel]
            lines.end()
            self._changed.set()

    async def _exchange(
        self, channel: int, request: web.BaseRequest, head: RequestHead, lines: ChannelLog
    ) -> web.StreamResponse:
        name = f"{head.method} {head.path}"
        lines.add("client", "http.request", name, head.encode())
        body = await _body(request)
        lines.body("client", name, body)
        self._feed(Message(channel, "http.request", head.encode(), body))
        answer = await self._answer(channel, lines)
        if answer.kind == "ws.close":
            return _broken(request, lines)
        response = ResponseHead.decode(answer.body)
        lines.add("provider", "http.response", str(response.status), answer.body)
        lines.body("provider", name, answer.payload)
        if answer.rate:
            return await _dripped(request, response, answer)
        return _plain(response, answer.payload)

    async def _upgrade(
        self, channel: int, request: web.BaseRequest, head: RequestHead, lines: ChannelLog
    ) -> web.StreamResponse:
        lines.add("client", "ws.open", f"{head.method} {head.path}", head.encode())
        self._feed(Message(channel, "ws.open", head.encode()))
        answer = await self._answer(channel, lines)
        if answer.kind == "ws.close":
            return _broken(request, lines)
        response = ResponseHead.decode(answer.body)
        lines.add("provider", "ws.open", str(response.status), answer.body)
        if response.status != 101:
            if answer.payload:
                lines.add("provider", "http.chunk", "", answer.payload)
            return _plain(response, answer.payload)
        socket: web.WebSocketResponse[Literal[False]] = web.WebSocketResponse(
            autoclose=False,
            protocols=(response.subprotocol,) if response.subprotocol else (),
            max_msg_size=MAX_MESSAGE,
            decode_text=False,
        )
        socket.headers.update(_kept(response.headers))
        await socket.prepare(request)
        self._sockets.add(channel)
        try:
            outbox = self._outboxes[channel]
            await Connection(
                channel, socket, outbox, self._feed, self._log, lines, request.transport
            ).run()
        finally:
            self._sockets.discard(channel)
            if request.transport:
                request.transport.close()
        return socket

    async def _answer(self, channel: int, lines: ChannelLog) -> Message:
        """The machine's answer to a request or an upgrade; 504 if it has none in time."""
        outbox = self._outboxes[channel]
        try:
            async with asyncio.timeout(_ANSWER_S):
                while (answer := await outbox.get()).kind == "note":
                    lines.note(FAULT, answer.body)
                    outbox.task_done()
        except TimeoutError:
            head = ResponseHead(504, "Gateway Timeout", (("Content-Type", "text/plain"),))
            return Message(channel, "http.response", head.encode(), b"no answer in time\n")
        outbox.task_done()
        return answer


async def _body(request: web.BaseRequest) -> bytes:
    """A request's body, up to 32 MiB; 413 beyond that."""
    pieces: list[bytes] = []
    size = 0
    async for piece in request.content.iter_any():
        size += len(piece)
        if size > MAX_MESSAGE:
            raise web.HTTPRequestEntityTooLarge(MAX_MESSAGE, size)
        pieces.append(piece)
    return b"".join(pieces)


def _broken(request: web.BaseRequest, lines: ChannelLog) -> web.Response:
    """Break the connection in place of an answer."""
    lines.note("broken", b'{"message":"the connection was broken"}')
    if request.transport:
        request.transport.abort()
    return web.Response(status=502)


async def _dripped(
    request: web.BaseRequest, head: ResponseHead, answer: Message
) -> web.StreamResponse:
    """Send an answer a piece at a time, `answer.rate` bytes in a second."""
    response = web.StreamResponse(
        status=head.status, reason=head.reason or None, headers=_kept(head.headers)
    )
    response.content_length = len(answer.payload)
    await response.prepare(request)
    size = max(1, round(answer.rate * _DRIP_S))
    for start in range(0, len(answer.payload), size):
        await asyncio.sleep(size / answer.rate)
        await response.write(answer.payload[start : start + size])
    await response.write_eof()
    return response


def _kept(headers: Headers) -> CIMultiDict[str]:
    """Headers of an answer that still hold: bodies are served decoded and measured anew."""
    kept = answered(headers)
    for name in ("content-length", "content-encoding", "date", "server"):
        kept.popall(name, None)
    return kept


def _plain(head: ResponseHead, body: bytes) -> web.Response:
    return web.Response(
        status=head.status, reason=head.reason or None, headers=_kept(head.headers), body=body
    )
