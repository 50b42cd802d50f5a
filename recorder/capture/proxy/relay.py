"""One WebSocket through the proxy: dial, answer, pass messages both ways, close as they closed.

The upstream is dialled before the client's upgrade is answered, so a refusal reaches the client
as the refusal it was. Each side negotiates permessage-deflate on its own. Pings and pongs pass
hop by hop to the other side, because a relay that answered them would hide a dead peer.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import aiohttp
from aiohttp import ClientWebSocketResponse, WSMsgType, web

from recorder.capture.process import WriterProcess
from recorder.capture.proxy.destinations import Destination
from recorder.capture.proxy.dial import MAX_MESSAGE, Dialer, Refused, Socket, Unreachable
from recorder.capture.proxy.exchange import failure
from recorder.capture.proxy.headers import answered, request_head
from recorder.capture.proxy.legs import Leg
from recorder.capture.proxy.tapes import OpenTape, Tapes
from recorder.capture.tap import Tape
from recorder.errors import RecorderError
from recorder.events import Kind, Sender
from recorder.heads import LOST, Close, RequestHead, ResponseHead
from recorder.providers.base import Provider

_CLOSING_S = 5.0
_NO_CODE = 1005
_FAILED = 1011
_GOING = 1001
log = logging.getLogger("recorder.proxy")

_KINDS: dict[WSMsgType, Kind] = {
    WSMsgType.TEXT: "ws.text",
    WSMsgType.BINARY: "ws.binary",
    WSMsgType.PING: "ws.ping",
    WSMsgType.PONG: "ws.pong",
}
Side = web.WebSocketResponse[Literal[False]] | ClientWebSocketResponse[Literal[False]]


class Relay:
    """One client connection and its upstream connection, on one channel of a tape. `name` is given
    what the provider says until it has found in it the id of a call that had none."""

    def __init__(self, tape: Tape, channel: int, writer: WriterProcess, provider: Provider) -> None:
        self.tape, self._channel, self._writer = tape, channel, writer
        self._provider = provider
        self.name: Callable[[bytes], bool] | None = None
        self._closed_by: Sender | None = None
        self._stopping: asyncio.Future[RecorderError | None] = (
            asyncio.get_running_loop().create_future()
        )

    def stop(self, error: RecorderError | None) -> None:
        """End the relay from the recorder's side: with `error`, or because it is shutting down."""
        if not self._stopping.done():
            self._stopping.set_result(error)

    async def run(
        self,
        client: web.WebSocketResponse[Literal[False]],
        upstream: Socket,
        request: web.BaseRequest,
    ) -> None:
        """Pass messages until both sides have closed, or the recorder has to end it."""
        if self.tape.failed:
            self.stop(self.tape.failed)
        outward = asyncio.create_task(self._pump(client, upstream.ws, "client"))
        inward = asyncio.create_task(self._pump(upstream.ws, client, "provider"))
        pumps = {outward, inward}
        try:
            waited: set[asyncio.Future[Any]] = {*pumps, self._stopping}
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            if self._stopping.done():
                await self._end(client, upstream.ws, self._stopping.result())
            await self._until_closed(pumps)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            await upstream.drop()
            if request.transport:
                request.transport.close()

    async def _until_closed(self, pumps: set[asyncio.Task[bool]]) -> None:
        """After one side has closed, the other may still say something before it answers."""
        done, waiting = await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        lost = any(not task.result() for task in done)
        if waiting and not lost:
            await asyncio.wait(waiting, timeout=_CLOSING_S)

    async def _pump(self, source: Side, sink: Side, sender: Sender) -> bool:
        """Pass on what `source` says. True when it closed in order, False when it was lost."""
        receive, send, record = source.receive, sink.send_frame, self.tape.record
        channel, writer = self._channel, self._writer
        while True:
            message = await receive()
            kind = _KINDS.get(message.type)
            if kind is None:
                return await self._closed(message, sink, sender)
            data = bytes(message.data)  # pings come as a bytearray; bytes are not copied
            record(channel, sender, kind, "", data)
            if self.name is not None and sender == "provider" and self.name(data):
                self.name = None
            if writer.full:
                await writer.room()
            try:
                await send(data, message.type)
            except (ConnectionError, aiohttp.ClientError):
                return False

    async def _closed(self, message: Any, sink: Side, sender: Sender) -> bool:
        if message.type is WSMsgType.CLOSE:
            close = Close(message.data or _NO_CODE, message.extra or "")
        elif message.type is WSMsgType.ERROR and isinstance(message.data, aiohttp.WebSocketError):
            close = Close(message.data.code, str(message.data))
        else:
            close = Close(LOST)
        if self._closed_by is None:
            self._closed_by = sender
            self._record_close(sender, close)
        if close.code == LOST:
            return False
        await send_close(sink, close)
        return True

    async def _end(self, client: Side, upstream: Side, error: RecorderError | None) -> None:
        close = Close(_GOING, "the recorder is stopping")
        if error:
            log.error("conversation ended: %s", error)
            close = Close(_FAILED, "the recorder cannot store this conversation")
            text = self._provider.error_event("recorder_store_failed", str(error))
            try:
                await client.send_frame(text, WSMsgType.TEXT)
            except (ConnectionError, aiohttp.ClientError) as lost:
                log.warning("the client could not be told: %s", lost)
        if self._closed_by is None:
            self._closed_by = "recorder"
            self._record_close("recorder", close)
        for side in (client, upstream):
            await send_close(side, close)

    def _record_close(self, sender: Sender, close: Close) -> None:
        self.tape.record(self._channel, sender, "ws.close", str(close.code), close.encode())


async def send_close(side: Side, close: Close) -> None:
    """A close frame as the other side sent it: 1005 is a frame without a code (RFC 6455, 7.1.5)."""
    payload = b""
    if close.code != _NO_CODE:
        payload = close.code.to_bytes(2, "big") + close.reason.encode()[:123]
    try:
        await side.send_frame(payload, WSMsgType.CLOSE)
    except (ConnectionError, aiohttp.ClientError) as lost:
        log.debug("closing frame not sent: %s", lost)


class Relays:
    """All relays of a proxy: opens them for upgrades, stops them together."""

    def __init__(self, writer: WriterProcess, tapes: Tapes, dialer: Dialer) -> None:
        self._writer, self._tapes, self._dialer = writer, tapes, dialer
        self._running: dict[Relay, asyncio.Event] = {}

    async def handle(self, request: web.BaseRequest, to: Destination) -> web.StreamResponse:
        """Answer one upgrade request and relay until it is over."""
        provider = to.provider
        head = request_head(request, to.prefix)
        leg = self._tapes.leg("ws", head.path)
        try:
            open_tape = await self._tapes.take(provider, provider.route(head), leg)
        except RecorderError as error:
            return failure(provider, 503, "recorder_store_failed", str(error))
        tape, channel = open_tape.tape, leg.channel
        tape.record(channel, "client", "ws.open", f"{head.method} {head.path}", head.encode())
        try:
            socket = await self._dialer.dial(to.upstream, head)
            try:
                tape.record(channel, "provider", "ws.open", "101", socket.head.encode())
                relay = Relay(tape, channel, self._writer, provider)
                if open_tape.is_unnamed:
                    relay.name = partial(self._named, provider, (head, socket.head), open_tape, leg)
                return await self._relay(request, socket, relay)
            finally:
                await socket.drop()
        except Refused as refused:
            return _refuse(tape, channel, refused)
        except Unreachable as error:
            log.error("%s", error)
            tape.record(channel, "recorder", "note", "unreachable", _note(str(error)))
            body = provider.error_event("recorder_upstream_unreachable", str(error))
            return web.Response(status=502, body=body, content_type="application/json")
        finally:
            leg.end()
            self._tapes.release(open_tape)

    async def stop(self) -> None:
        """End every relay, telling both sides that the recorder is going away.

        Waits for their closing handshakes, so the server must not be shut down before: from then
        on it drops what clients send.
        """
        for relay in self._running:
            relay.stop(None)
        endings = [asyncio.create_task(over.wait()) for over in self._running.values()]
        if endings:
            _, waiting = await asyncio.wait(endings, timeout=2 * _CLOSING_S)
            for ending in waiting:
                ending.cancel()

    def _named(
        self,
        provider: Provider,
        heads: tuple[RequestHead, ResponseHead],
        open_tape: OpenTape,
        leg: Leg,
        said: bytes,
    ) -> bool:
        """Whether a message has told the id of the call, whose tape then has it."""
        key = provider.correlate(*heads, said)
        if key is not None:
            self._tapes.name(open_tape, provider, key, leg)
        return key is not None

    async def _relay(
        self, request: web.BaseRequest, socket: Socket, relay: Relay
    ) -> web.StreamResponse:
        client: web.WebSocketResponse[Literal[False]] = web.WebSocketResponse(
            autoclose=False,
            autoping=False,
            protocols=(socket.head.subprotocol,) if socket.head.subprotocol else (),
            max_msg_size=MAX_MESSAGE,
            decode_text=False,
        )
        client.headers.update(answered(socket.head.headers))
        await client.prepare(request)
        tape = relay.tape
        over = self._running[relay] = asyncio.Event()
        loop = asyncio.get_running_loop()

        def failed(error: RecorderError) -> None:
            loop.call_soon_threadsafe(self._failed, tape, error)

        tape.on_failure = failed
        try:
            await relay.run(client, socket, request)
        finally:
            over.set()
            del self._running[relay]
        return client

    def _failed(self, tape: Tape, error: RecorderError) -> None:
        """A tape can no longer be written: its conversations end."""
        for relay in self._running:
            if relay.tape is tape:
                relay.stop(error)


def _refuse(tape: Tape, channel: int, refused: Refused) -> web.Response:
    head = refused.head
    tape.record(channel, "provider", "ws.open", str(head.status), head.encode())
    if refused.body:
        tape.record(channel, "provider", "http.chunk", "", refused.body)
    headers = answered(head.headers)
    headers.popall("content-length", None)
    headers.popall("content-encoding", None)
    return web.Response(status=head.status, reason=head.reason, headers=headers, body=refused.body)


def _note(text: str) -> bytes:
    return json.dumps({"message": text}).encode()
