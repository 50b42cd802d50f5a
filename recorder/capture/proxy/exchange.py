"""One HTTP exchange through the proxy: head and body each way, passed on as they arrive.

A short body of known length passes as one piece, so that a secret in it is seen whole; a stream
(server-sent events, chunked answers) passes piece by piece. An answer that may name a call or lead
the client to another server is looked at whole first.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NamedTuple

import aiohttp
from aiohttp import StreamReader, web

from recorder.capture.proxy.bodies import BREAKS, Body, cause, is_short
from recorder.capture.proxy.destinations import Destination, Destinations
from recorder.capture.proxy.dial import Dialer, why_not
from recorder.capture.proxy.headers import answered, pairs, request_head
from recorder.capture.proxy.legs import Leg, lay
from recorder.capture.proxy.options import ProxyOptions
from recorder.capture.proxy.rewriting import with_address, with_links
from recorder.capture.proxy.tapes import OpenTape, Tapes
from recorder.capture.proxy.upstream import outgoing, shown
from recorder.errors import RecorderError
from recorder.events import Kind, Sender
from recorder.heads import Headers, RequestHead, ResponseHead, header
from recorder.providers.base import Links, Provider

log = logging.getLogger("recorder.proxy")
_LOOKED_AT = 32 << 20  # bytes of an answer that are held back at most
_ENCODED = ("content-encoding", "content-length")


Room = Callable[[], Awaitable[None]]  # waits while too much is queued for the writer


class Exchange:
    """One request and its answer, on one leg. `name` is the type of what bodies consist of."""

    def __init__(self, leg: Leg, name: str, room: Room) -> None:
        self._leg, self._name, self._room = leg, name, room
        self.is_left = False  # whoever asks broke off before all was asked

    async def asked(self, request: web.BaseRequest, headers: Headers) -> AsyncIterator[bytes]:
        """`pieces` of a request; a body that breaks off is told as what it was."""
        try:
            async for data in self.pieces(arriving(request.content, headers), headers, "client"):
                yield data
        except BREAKS as error:
            self.is_left = True
            self.note("broken", f"the request broke off: {cause(error)}")
            raise

    async def pieces(
        self, arriving: AsyncIterator[bytes], headers: Headers, sender: Sender
    ) -> AsyncIterator[bytes]:
        """Yield a body as it arrives, recording each piece, then the end of the body."""
        body = Body(headers, self._unreadable)
        async for data in arriving:
            self._record(sender, body, data)
            await self._room()
            yield data
        self.end_of_body(sender)

    def whole(self, sender: Sender, headers: Headers, data: bytes) -> bytes:
        """Record a body that has arrived; returns what it says."""
        said = self._record(sender, Body(headers, self._unreadable), data)
        self.end_of_body(sender)
        return said

    def end_of_body(self, sender: Sender) -> None:
        """Record that a body has ended."""
        self._leg.record(sender, "http.chunk", self._name, b"")

    def head(
        self, sender: Sender, kind: Kind, type_: str, head: RequestHead | ResponseHead
    ) -> None:
        """The head of the request or of the answer."""
        self._leg.record(sender, kind, type_, head.encode())

    def note(self, what: str, message: str) -> None:
        """A remark of the recorder on this exchange."""
        self._leg.note(what, message=message)

    async def back(
        self,
        request: web.BaseRequest,
        answer: ResponseHead,
        pieces: AsyncIterator[bytes],
        *,
        but: tuple[str, ...] = (),
    ) -> web.StreamResponse:
        """Pass an answer back as it arrives, without the headers `but`. What breaks off on one side
        breaks off on the other."""
        back = web.StreamResponse(status=answer.status, reason=answer.reason)
        back.headers.update(answered(answer.headers))
        for name in but:
            back.headers.popall(name, None)
        try:
            async for piece in pieces:
                if not back.prepared:
                    await back.prepare(request)
                await back.write(piece)
            if not back.prepared:
                await back.prepare(request)
            await back.write_eof()
        except BREAKS as error:
            left = request.transport is None or request.transport.is_closing()
            what = "whoever asked had gone" if left else "the answer broke off"
            self.note("broken", f"{what}: {cause(error)}")
            if request.transport:
                request.transport.abort()
        return back

    def _record(self, sender: Sender, body: Body, data: bytes) -> bytes:
        said = body.piece(data) if data else b""
        if said:
            self._leg.record(sender, "http.chunk", self._name, said)
        return said

    def _unreadable(self, why: str) -> None:
        self.note("unreadable", why)


class _Passage(NamedTuple):
    request: web.BaseRequest
    head: RequestHead
    to: Destination
    leg: Leg
    exchange: Exchange
    open_tape: OpenTape


class Exchanges:
    """Handles every plain HTTP request of a proxy."""

    def __init__(
        self, tapes: Tapes, dialer: Dialer, destinations: Destinations, options: ProxyOptions
    ) -> None:
        self._tapes, self._dialer = tapes, dialer
        self._destinations, self._options = destinations, options

    async def handle(self, request: web.BaseRequest, to: Destination) -> web.StreamResponse:
        """Pass one request on, and its answer back."""
        head = request_head(request, to.prefix)
        leg = self._tapes.leg("http", head.path)
        try:
            open_tape = await self._tapes.take(to.provider, to.provider.route(head), leg)
        except RecorderError as error:
            return failure(to.provider, 503, "recorder_store_failed", str(error))
        try:
            if open_tape.tape.failed:
                return failure(
                    to.provider, 503, "recorder_store_failed", str(open_tape.tape.failed)
                )
            exchange = Exchange(leg, f"{head.method} {head.path}", self._tapes.room)
            return await self._pass(_Passage(request, head, to, leg, exchange, open_tape))
        finally:
            lay(open_tape.tape, [leg])
            leg.end()
            self._tapes.release(open_tape)

    async def _pass(self, passage: _Passage) -> web.StreamResponse:
        request, head, to, _, exchange, _ = passage
        exchange.head("client", "http.request", f"{head.method} {head.path}", head)
        url, headers = outgoing(to.upstream, head)
        data: bytes | AsyncIterator[bytes] | None = None
        try:
            if request.body_exists:
                data = await self._body(passage)
                headers.popall("content-length", None)
            async with self._dialer.http.request(
                head.method, url, headers=headers, data=data, allow_redirects=False
            ) as response:
                return await self._answer(passage, response)
        except (*BREAKS, OSError) as error:
            if exchange.is_left:
                return web.Response(status=400)
            message = f"cannot reach {shown(to.upstream)}: {why_not(error)}"
            log.error("%s", message)
            exchange.note("unreachable", message)
            return failure(to.provider, 502, "recorder_upstream_unreachable", message)

    async def _body(self, passage: _Passage) -> bytes | AsyncIterator[bytes]:
        """The body of a request as it is to go on; a short one whole."""
        request, head, to, leg, exchange, _ = passage
        pieces = exchange.asked(request, head.headers)
        if not is_short(head.headers):
            return pieces
        data = b"".join([piece async for piece in pieces])
        if self._options.set_server_url:
            url = f"{self._options.base(request)}/webhooks/{to.provider.NAME}"
            data = with_address(head, data, to.provider, url, leg.note)
        return data

    async def _answer(
        self, passage: _Passage, response: aiohttp.ClientResponse
    ) -> web.StreamResponse:
        request, head, to, leg, exchange, open_tape = passage
        headers = pairs(response.raw_headers)
        answer = ResponseHead(response.status, response.reason or "", headers)
        links = to.provider.LINKS
        is_json = "json" in (header(headers, "content-type") or "").lower()
        if links is not None and is_json and links.within(head):
            if open_tape.is_unnamed:
                leg.hold()
            exchange.head("provider", "http.response", str(answer.status), answer)
            return await self._look(passage, answer, response.content, links)
        exchange.head("provider", "http.response", str(answer.status), answer)
        self._correlate(passage, answer, b"")
        body = arriving(response.content, headers)
        pieces = exchange.pieces(body, headers, "provider")
        return await exchange.back(request, answer, pieces)

    async def _look(
        self, passage: _Passage, answer: ResponseHead, source: StreamReader, links: Links
    ) -> web.StreamResponse:
        """Pass back an answer whose body is looked at before it goes on."""
        request, _, to, leg, exchange, open_tape = passage
        data, rest = await _gathered(source)
        if rest is not None:
            lay(open_tape.tape, [leg])
            pieces = exchange.pieces(_joined(data, rest), answer.headers, "provider")
            return await exchange.back(request, answer, pieces)
        said = exchange.whole("provider", answer.headers, data)
        self._correlate(passage, answer, said)
        lay(open_tape.tape, [leg])
        if not self._options.rewrite:
            return await exchange.back(request, answer, _joined(data))
        base = self._options.base(request)
        left = with_links(said, links, to.provider, self._destinations, base, leg.note)
        if left == said:
            return await exchange.back(request, answer, _joined(data))
        return await exchange.back(request, answer, _joined(left), but=_ENCODED)

    def _correlate(self, passage: _Passage, answer: ResponseHead, body: bytes) -> None:
        """Name the tape of a call by what the answer says."""
        _, head, to, leg, _, open_tape = passage
        key = to.provider.correlate(head, answer, body)
        if key and open_tape.key is None:
            self._tapes.name(open_tape, to.provider, key, leg)


async def arriving(source: StreamReader, headers: Headers) -> AsyncIterator[bytes]:
    """A body in the pieces in which it passes: a short one whole."""
    pieces = _joined(*await _gathered(source)) if is_short(headers) else source.iter_any()
    async for piece in pieces:
        yield piece


async def _gathered(source: StreamReader) -> tuple[bytes, AsyncIterator[bytes] | None]:
    """A body, and None if that is all of it: not if it breaks off, or is too long to be held."""
    pieces: list[bytes] = []
    size = 0
    try:
        async for piece in source.iter_any():
            pieces.append(piece)
            size += len(piece)
            if size > _LOOKED_AT:
                return b"".join(pieces), source.iter_any()
    except BREAKS as error:
        return b"".join(pieces), _broken(error)
    return b"".join(pieces), None


async def _broken(error: Exception) -> AsyncIterator[bytes]:
    """The rest of a body that broke off."""
    raise error
    yield b""


async def _joined(data: bytes, rest: AsyncIterator[bytes] | None = None) -> AsyncIterator[bytes]:
    if data:
        yield data
    if rest is not None:
        async for piece in rest:
            yield piece


def failure(provider: Provider, status: int, code: str, message: str) -> web.Response:
    """An error of the recorder in the provider's words."""
    return web.Response(
        status=status,
        body=provider.error_event(code, message),
        content_type="application/json",
    )
