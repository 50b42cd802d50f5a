"""`httpx` transports that record each exchange of a client and pass it on.

    httpx.Client(transport=session.httpx_transport())

An exchange is a channel of its own: each head, then the body in the pieces that pass (a short body
of known length as one, so that a secret in it is seen whole), and an empty piece at its end. Bodies
that gzip or deflate packed are recorded unpacked; other codings are not asked for.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx

from recorder.capture.hooks.gate import Gate
from recorder.capture.proxy.bodies import Body, is_short, readable_codings
from recorder.errors import RecorderError
from recorder.events import Kind, Sender
from recorder.heads import Headers, RequestHead, ResponseHead

_ABANDONED = ("broken", "the answer was closed before its end")
_UNREACHED = (httpx.ConnectError, httpx.ConnectTimeout)


class RecordingTransport(httpx.BaseTransport):
    """Wraps a transport (by default a new `httpx.HTTPTransport`) of a synchronous client."""

    def __init__(self, gate: Gate, transport: httpx.BaseTransport | None = None) -> None:
        self._gate = gate
        self._transport = transport or httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on. What the transport raises is noted and raised again."""
        self._gate.wait()
        exchange = _Exchange(self._gate, request)
        try:
            response = self._transport.handle_request(exchange.passed_on(request))
        except BaseException as error:
            exchange.fail(error)
            raise
        try:
            exchange.answer(response)
        except RecorderError:
            response.close()
            raise
        return httpx.Response(
            response.status_code,
            headers=response.headers,
            stream=_AnswerStream(exchange, response),
            extensions=response.extensions,
        )

    def close(self) -> None:
        """Close the wrapped transport; the session goes on."""
        self._transport.close()


class AsyncRecordingTransport(httpx.AsyncBaseTransport):
    """Wraps a transport (by default a new `httpx.AsyncHTTPTransport`) of an asynchronous client."""

    def __init__(self, gate: Gate, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._gate = gate
        self._transport = transport or httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on. What the transport raises is noted and raised again."""
        await self._gate.wait_async()
        exchange = _Exchange(self._gate, request)
        try:
            response = await self._transport.handle_async_request(exchange.passed_on(request))
        except BaseException as error:
            exchange.fail(error)
            raise
        try:
            exchange.answer(response)
        except RecorderError:
            await response.aclose()
            raise
        return httpx.Response(
            response.status_code,
            headers=response.headers,
            stream=_AnswerStream(exchange, response),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        """Close the wrapped transport; the session goes on."""
        await self._transport.aclose()


class _Exchange:
    """One exchange on one channel."""

    def __init__(self, gate: Gate, request: httpx.Request) -> None:
        self.gate = gate
        path, _, query = request.url.raw_path.decode("ascii").partition("?")
        self.head = RequestHead(request.method, path, query, _pairs(request.headers))
        self.name = f"{self.head.method} {self.head.path}"
        self.channel = gate.tape.channel("http", path)
        self.response_headers: Headers = ()
        self._over = False
        self.record("client", "http.request", self.name, self.head.encode())

    def record(self, sender: Sender, kind: Kind, type_: str, body: bytes) -> None:
        self.gate.record(self.channel, sender, kind, type_, body)

    def passed_on(self, request: httpx.Request) -> httpx.Request:
        """The request with a body that is recorded as it is sent."""
        headers = httpx.Headers(request.headers)
        if "accept-encoding" in headers:
            headers["accept-encoding"] = readable_codings(headers["accept-encoding"])
        stream = request.stream
        if "content-length" in headers or "transfer-encoding" in headers:
            stream = _RequestStream(self, stream)
        return httpx.Request(
            request.method,
            request.url,
            headers=headers,
            stream=stream,
            extensions=request.extensions,
        )

    def answer(self, response: httpx.Response) -> None:
        self.response_headers = _pairs(response.headers)
        head = ResponseHead(response.status_code, response.reason_phrase, self.response_headers)
        self.record("provider", "http.response", str(head.status), head.encode())
        self.gate.correlate(self.head, head)

    def fail(self, error: BaseException) -> None:
        what = "unreachable" if isinstance(error, _UNREACHED) else "broken"
        self.end(what, f"{type(error).__name__}: {error}")

    def end(self, what: str = "", remark: str = "") -> None:
        """The channel is over, once; `remark` says why if it was not in order."""
        if not self._over:
            self._over = True
            if remark:
                self.gate.note(self.channel, what, remark)
            self.gate.tape.end_channel(self.channel)


class _Pieces:
    """Records one side's body piece by piece."""

    def __init__(self, exchange: _Exchange, sender: Sender, headers: Headers) -> None:
        self._exchange, self._sender = exchange, sender
        self.whole = is_short(headers)
        self._body = Body(
            headers, lambda why: exchange.gate.note(exchange.channel, "unreadable", why)
        )

    def piece(self, data: bytes) -> None:
        said = self._body.piece(data) if data else b""
        if said:
            self._exchange.record(self._sender, "http.chunk", self._exchange.name, said)

    def end(self) -> None:
        self._exchange.record(self._sender, "http.chunk", self._exchange.name, b"")


def _passing(gate: Gate, pieces: _Pieces, stream: httpx.SyncByteStream) -> Iterator[bytes]:
    for data in [b"".join(stream)] if pieces.whole else stream:
        gate.wait()
        pieces.piece(data)
        if data:
            yield data
    pieces.end()


async def _passing_async(
    gate: Gate, pieces: _Pieces, stream: httpx.AsyncByteStream
) -> AsyncIterator[bytes]:
    source = _whole(stream) if pieces.whole else stream
    async for data in source:
        await gate.wait_async()
        pieces.piece(data)
        if data:
            yield data
    pieces.end()


async def _whole(stream: httpx.AsyncByteStream) -> AsyncIterator[bytes]:
    yield b"".join([piece async for piece in stream])


class _RequestStream(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A request's body, recorded as the transport takes it."""

    def __init__(
        self, exchange: _Exchange, stream: httpx.SyncByteStream | httpx.AsyncByteStream
    ) -> None:
        self._exchange, self._stream = exchange, stream

    def __iter__(self) -> Iterator[bytes]:
        assert isinstance(self._stream, httpx.SyncByteStream)
        return _passing(self._exchange.gate, self._pieces(), self._stream)

    def __aiter__(self) -> AsyncIterator[bytes]:
        assert isinstance(self._stream, httpx.AsyncByteStream)
        return _passing_async(self._exchange.gate, self._pieces(), self._stream)

    def _pieces(self) -> _Pieces:
        return _Pieces(self._exchange, "client", self._exchange.head.headers)


class _AnswerStream(httpx.SyncByteStream, httpx.AsyncByteStream):
    """An answer's body, recorded as the client reads it."""

    def __init__(self, exchange: _Exchange, response: httpx.Response) -> None:
        self._exchange, self._response = exchange, response

    def __iter__(self) -> Iterator[bytes]:
        stream = self._response.stream
        assert isinstance(stream, httpx.SyncByteStream)
        try:
            yield from _passing(self._exchange.gate, self._pieces(), stream)
        except httpx.TransportError as error:
            self._exchange.fail(error)
            raise
        self._exchange.end()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        stream = self._response.stream
        assert isinstance(stream, httpx.AsyncByteStream)
        try:
            async for data in _passing_async(self._exchange.gate, self._pieces(), stream):
                yield data
        except httpx.TransportError as error:
            self._exchange.fail(error)
            raise
        self._exchange.end()

    def close(self) -> None:
        self._exchange.end(*_ABANDONED)
        self._response.close()

    async def aclose(self) -> None:
        self._exchange.end(*_ABANDONED)
        await self._response.aclose()

    def _pieces(self) -> _Pieces:
        return _Pieces(self._exchange, "provider", self._exchange.response_headers)


def _pairs(headers: httpx.Headers) -> Headers:
    return tuple(
        (name.decode("latin-1"), value.decode("utf-8", "backslashreplace"))
        for name, value in headers.raw
    )
