"""Deliveries of a provider to the application's server, by way of the recorder.

`/webhooks/vapi` takes them and passes them on byte for byte, headers included, and the answer back.
What cannot be reached is unreachable for the provider too: its connection breaks, as it would have
without the recorder. Without a server to pass them on to they are acknowledged.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple, ParamSpec, TypeVar

import aiohttp
from aiohttp import web

from recorder.capture.proxy.bodies import BREAKS, WHOLE_BYTES, Body, cause
from recorder.capture.proxy.dial import Dialer
from recorder.capture.proxy.exchange import Exchange, arriving, failure
from recorder.capture.proxy.headers import pairs, request_head
from recorder.capture.proxy.legs import Leg
from recorder.capture.proxy.options import ProxyOptions
from recorder.capture.proxy.tapes import OpenTape, Tapes
from recorder.capture.proxy.upstream import outgoing, shown
from recorder.errors import RecorderError
from recorder.heads import RequestHead, ResponseHead
from recorder.providers import PROVIDERS
from recorder.providers.base import Delivery, Provider, Route, Webhooks

PREFIX = "/webhooks/"
SIGNATURE = "signature"
_LONGEST = 64 << 20
_P = ParamSpec("_P")
_T = TypeVar("_T")
log = logging.getLogger("recorder.proxy")


class _Flaw(NamedTuple):
    """Why a delivery goes no further: the note on the tape, the answer, and the words of both."""

    note: str
    status: int
    why: str


class Deliveries:
    """Handles every webhook of a proxy."""

    def __init__(self, tapes: Tapes, dialer: Dialer, options: ProxyOptions) -> None:
        self._tapes, self._dialer, self._options = tapes, dialer, options
        self._placing: set[asyncio.Task[OpenTape | None]] = set()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Take one delivery. One that broke off, or is longer than 64 MiB, goes no further."""
        provider = _addressee(request.path)
        if provider is None or provider.WEBHOOKS is None:
            known = [f"{PREFIX}{each.NAME}" for each in PROVIDERS.values() if each.WEBHOOKS]
            text = f"recorder: no webhooks here; known: {', '.join(known)}\n"
            return web.Response(status=404, text=text)
        head = request_head(request, "")
        leg = self._tapes.leg("webhook", head.path)
        body, flaw = await _read(request)
        if flaw:
            return await self._turn_away(provider, head, body, flaw, leg)
        said = Body(head.headers, lambda why: leg.note("unreadable", message=why)).piece(body)
        delivery = await _aside(said, provider.WEBHOOKS.read, said)
        route = Route("call", delivery.key) if delivery.key else Route("control")
        open_tape = self._tapes.known(provider, route, leg)
        if open_tape is not None and open_tape.tape.failed:
            leg.end()
            self._tapes.release(open_tape)
            return failure(provider, 503, "recorder_store_failed", str(open_tape.tape.failed))
        placing = asyncio.create_task(self._place(provider, route, leg, open_tape))
        self._placing.add(placing)
        placing.add_done_callback(self._placing.discard)
        try:
            _record(leg, head, delivery, said)
            await self._check(provider.WEBHOOKS, head, body, leg)
            return await self._answer(request, head, body, delivery, provider.WEBHOOKS, leg)
        finally:
            leg.end()
            placing.add_done_callback(self._placed)

    async def _turn_away(
        self, provider: Provider, head: RequestHead, body: bytes, flaw: _Flaw, leg: Leg
    ) -> web.Response:
        """Record what came of a delivery that goes no further, on the control tape: its call is
        not known."""
        try:
            open_tape = await self._tapes.take(provider, Route("control"), leg)
        except RecorderError as error:
            return failure(provider, 503, "recorder_store_failed", str(error))
        log.warning("a webhook was not passed on: %s", flaw.why)
        leg.record("provider", "webhook.request", "", head.encode())
        said = Body(head.headers, lambda why: leg.note("unreadable", message=why)).piece(body)
        if said:
            leg.record("provider", "http.chunk", "", said)
        leg.note(flaw.note, message=flaw.why)
        leg.end()
        self._tapes.release(open_tape)
        return web.Response(status=flaw.status, text=f"recorder: {flaw.why}\n")

    async def stop(self) -> None:
        """Wait until everything has its place."""
        if self._placing:
            await asyncio.wait(self._placing)

    async def _place(
        self, provider: Provider, route: Route, leg: Leg, known: OpenTape | None
    ) -> OpenTape | None:
        try:
            return known or await self._tapes.place(provider, route, leg)
        except RecorderError as error:
            log.error("a webhook could not be recorded: %s", error)
            return None

    def _placed(self, placing: asyncio.Task[OpenTape | None]) -> None:
        """The delivery is over and has its tape."""
        open_tape = placing.result()
        if open_tape is not None:
            self._tapes.release(open_tape)

    async def _check(self, webhooks: Webhooks, head: RequestHead, body: bytes, leg: Leg) -> None:
        """Tell whether the exact bytes are signed, if there is a secret to tell it by."""
        secret = self._options.webhook_secret
        if secret is not None:
            verdict, by = await _aside(body, webhooks.signature, head.headers, body, secret)
            leg.note(SIGNATURE, verdict=verdict, by=by)

    async def _answer(
        self,
        request: web.BaseRequest,
        head: RequestHead,
        body: bytes,
        delivery: Delivery,
        webhooks: Webhooks,
        leg: Leg,
    ) -> web.StreamResponse:
        exchange = Exchange(leg, delivery.type, self._tapes.room)
        if self._options.webhook_to is None:
            told = webhooks.acknowledgement(delivery)
            answer = ResponseHead(200, "OK", (("Content-Type", "application/json"),))
            exchange.head("recorder", "webhook.response", "200", answer)
            exchange.whole("recorder", answer.headers, told)
            return await exchange.back(request, answer, _once(told))
        try:
            return await self._forward(request, head, body, self._options.webhook_to, exchange)
        except (aiohttp.ClientError, OSError) as error:
            told_as = shown(self._options.webhook_to)
            message = f"cannot reach {told_as}: {error or type(error).__name__}"
            log.warning("%s", message)
            exchange.note("unreachable", message)
            if request.transport:
                request.transport.abort()
            return web.Response(status=502)

    async def _forward(
        self,
        request: web.BaseRequest,
        head: RequestHead,
        body: bytes,
        server: str,
        exchange: Exchange,
    ) -> web.StreamResponse:
        """Pass a delivery on; what follows `/webhooks/NAME` in its path is put after the URL."""
        rest = head.path.removeprefix(PREFIX).partition("/")
        asked = RequestHead(head.method, rest[1] + rest[2], head.query, head.headers)
        url, headers = outgoing(server, asked)
        async with self._dialer.http.request(
            head.method, url, headers=headers, data=body or None, allow_redirects=False
        ) as response:
            answer = ResponseHead(
                response.status, response.reason or "", pairs(response.raw_headers)
            )
            exchange.head("client", "webhook.response", str(answer.status), answer)
            coming = arriving(response.content, answer.headers)
            pieces = exchange.pieces(coming, answer.headers, "client")
            return await exchange.back(request, answer, pieces)


async def _aside(body: bytes, work: Callable[_P, _T], *args: _P.args, **named: _P.kwargs) -> _T:
    """`work`, on a thread where the body is so long that others would have to wait for it."""
    if len(body) <= WHOLE_BYTES:
        return work(*args, **named)
    return await asyncio.to_thread(work, *args, **named)


def _addressee(path: str) -> Provider | None:
    return PROVIDERS.get(path.removeprefix(PREFIX).partition("/")[0])


async def _read(request: web.BaseRequest) -> tuple[bytes, _Flaw | None]:
    """The body of a request as far as it came, and why that is not all of it."""
    pieces: list[bytes] = []
    size = 0
    try:
        async for piece in request.content.iter_any():
            pieces.append(piece)
            size += len(piece)
            if size > _LONGEST:
                return b"", _Flaw("too_long", 413, f"its body is longer than {_LONGEST} bytes")
    except BREAKS as error:
        return b"".join(pieces), _Flaw("broken", 400, f"its body broke off: {cause(error)}")
    return b"".join(pieces), None


def _record(leg: Leg, head: RequestHead, delivery: Delivery, said: bytes) -> None:
    leg.record("provider", "webhook.request", delivery.type, head.encode())
    if said:
        leg.record("provider", "http.chunk", delivery.type, said)
    leg.record("provider", "http.chunk", delivery.type, b"")


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
