"""One HTTP exchange through the proxy: head and body each way, passed on as they arrive.

A short body of known length passes as one piece, so that a secret in it is seen whole; a stream
(server-sent events, chunked answers) passes piece by piece.
"""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator

import aiohttp
from aiohttp import StreamReader, web

from recorder.capture.proxy.bodies import Body, is_short
from recorder.capture.proxy.dial import Dialer
from recorder.capture.proxy.headers import answered, pairs, request_head
from recorder.capture.proxy.tapes import OpenTape, Tapes
from recorder.capture.proxy.upstream import outgoing, shown
from recorder.capture.tap import Tape
from recorder.events import Kind, Sender
from recorder.heads import Headers, RequestHead, ResponseHead
from recorder.providers.base import Provider

log = logging.getLogger("recorder.proxy")


class Exchange:
    """One request and its answer, on one channel of a tape."""

    def __init__(self, tape: Tape, channel: int, name: str) -> None:
        self._tape, self._channel, self._name = tape, channel, name

    async def pieces(
        self, source: StreamReader, headers: Headers, sender: Sender
    ) -> AsyncIterator[bytes]:
        """Yield a body as it arrives, recording each piece, then the end of the body."""
        body = Body(headers, lambda why: self.note("unreadable", why))
        if is_short(headers):
            data = await source.read()
            if data:
                self._record(sender, body, data)
                yield data
        else:
            async for data in source.iter_any():
                self._record(sender, body, data)
                yield data
        self._tape.record(self._channel, sender, "http.chunk", self._name, b"")

    def note(self, what: str, message: str) -> None:
        """A remark of the recorder on this exchange."""
        text = json.dumps({"message": message}).encode()
        self._tape.record(self._channel, "recorder", "note", what, text)

    def head(self, sender: Sender, type_: str, head: RequestHead | ResponseHead) -> None:
        """The head of the request or of the answer."""
        kind: Kind = "http.request" if sender == "client" else "http.response"
        self._tape.record(self._channel, sender, kind, type_, head.encode())

    def _record(self, sender: Sender, body: Body, data: bytes) -> None:
        said = body.piece(data)
        if said:
            self._tape.record(self._channel, sender, "http.chunk", self._name, said)


class Exchanges:
    """Handles every plain HTTP request of a proxy."""

    def __init__(self, tapes: Tapes, dialer: Dialer) -> None:
        self._tapes, self._dialer = tapes, dialer

    async def handle(
        self, request: web.BaseRequest, provider: Provider, upstream: str
    ) -> web.StreamResponse:
        """Pass one request on, and its answer back."""
        head = request_head(request, provider.PREFIX)
        open_tape = await self._tapes.take(provider, provider.route(head))
        tape = open_tape.tape
        channel = tape.channel("http", head.path)
        try:
            exchange = Exchange(tape, channel, f"{head.method} {head.path}")
            if tape.failed:
                return _failure(provider, 503, "recorder_store_failed", str(tape.failed))
            return await self._pass(request, head, exchange, open_tape, provider, upstream)
        finally:
            tape.end_channel(channel)
            self._tapes.release(open_tape)

    async def _pass(
        self,
        request: web.BaseRequest,
        head: RequestHead,
        exchange: Exchange,
        open_tape: OpenTape,
        provider: Provider,
        upstream: str,
    ) -> web.StreamResponse:
        exchange.head("client", f"{head.method} {head.path}", head)
        url, headers = outgoing(upstream, head)
        body = exchange.pieces(request.content, head.headers, "client")
        data: bytes | AsyncIterator[bytes] | None = body if request.body_exists else None
        if request.body_exists and is_short(head.headers):
            data = b"".join([piece async for piece in body])
            headers.popall("content-length", None)
        elif request.body_exists:
            headers.popall("content-length", None)
        try:
            async with self._dialer.http.request(
                head.method,
                url,
                headers=headers,
                data=data,
                allow_redirects=False,
            ) as response:
                return await self._answer(request, response, exchange, head, open_tape, provider)
        except (aiohttp.ClientError, OSError) as error:
            message = f"cannot reach {shown(upstream)}: {error or type(error).__name__}"
            log.error("%s", message)
            exchange.note("unreachable", message)
            return _failure(provider, 502, "recorder_upstream_unreachable", message)

    async def _answer(
        self,
        request: web.BaseRequest,
        response: aiohttp.ClientResponse,
        exchange: Exchange,
        head: RequestHead,
        open_tape: OpenTape,
        provider: Provider,
    ) -> web.StreamResponse:
        headers = pairs(response.raw_headers)
        answer = ResponseHead(response.status, response.reason or "", headers)
        exchange.head("provider", str(response.status), answer)
        key = provider.correlate(head, answer)
        if key and open_tape.key is None:
            self._tapes.name(open_tape, provider, key)
        back = web.StreamResponse(status=answer.status, reason=answer.reason)
        back.headers.update(answered(headers))
        started = False
        try:
            async for piece in exchange.pieces(response.content, headers, "provider"):
                if not started:
                    await back.prepare(request)
                    started = True
                await back.write(piece)
        except (aiohttp.ClientError, ConnectionError) as error:
            exchange.note("broken", f"the answer broke off: {error or type(error).__name__}")
            if request.transport:
                request.transport.abort()
            return back
        if not started:
            await back.prepare(request)
        await back.write_eof()
        return back


def _failure(provider: Provider, status: int, code: str, message: str) -> web.Response:
    return web.Response(
        status=status,
        body=provider.error_event(code, message),
        content_type="application/json",
    )
