"""The upstream's side of the proxy: open a WebSocket, keep what a refusal said."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from dataclasses import dataclass
from typing import Literal

import aiohttp
from aiohttp import (
    ClientHandlerType,
    ClientMiddlewareType,
    ClientRequest,
    ClientResponse,
    ClientWebSocketResponse,
    hdrs,
)

from recorder.capture.proxy.headers import pairs
from recorder.capture.proxy.upstream import outgoing, shown
from recorder.errors import RecorderError
from recorder.heads import RequestHead, ResponseHead, header

MAX_MESSAGE = 32 << 20
_CONNECT_S = 15.0
_ANSWER_S = 60.0  # for the answer to an upgrade; gateways give up about then
_AS_IT_COMES = (hdrs.USER_AGENT, hdrs.ACCEPT, hdrs.ACCEPT_ENCODING, hdrs.CONTENT_TYPE)


class Unreachable(RecorderError):
    """The upstream could not be connected to."""


def why_not(error: Exception) -> str:
    """Why a connection failed, in the system's words; those of aiohttp speak of TLS where there is
    none."""
    cause = getattr(error, "os_error", error)
    if isinstance(cause, OSError) and not isinstance(cause, ssl.SSLError) and cause.errno:
        is_lookup = isinstance(cause, socket.gaierror)
        return str(cause.strerror) if is_lookup else os.strerror(cause.errno)
    return str(error) or type(error).__name__


class Refused(Exception):
    """The upstream answered an upgrade with something else than 101."""

    def __init__(self, head: ResponseHead, body: bytes) -> None:
        super().__init__(head.status)
        self.head, self.body = head, body


@dataclass
class Socket:
    """An open upstream WebSocket and the head that opened it."""

    ws: ClientWebSocketResponse[Literal[False]]
    head: ResponseHead
    _session: aiohttp.ClientSession
    _response: ClientResponse

    async def drop(self) -> None:
        """Close the connection now; what was written is still sent."""
        self._response.close()
        await self._session.close()


class Dialer:
    """Connects to upstreams; sessions share one connector. An upgrade may take `answer_s`."""

    def __init__(self, answer_s: float = _ANSWER_S) -> None:
        self._answer_s = answer_s
        self._connector = aiohttp.TCPConnector(limit=0)
        self.http = self._session()

    async def close(self) -> None:
        """Close every connection."""
        await self.http.close()
        await self._connector.close()

    async def dial(self, upstream: str, head: RequestHead) -> Socket:
        """Open a WebSocket with the client's headers. Raises Refused or Unreachable."""
        responses: list[ClientResponse] = []

        async def keep(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
            response = await handler(request)
            responses.append(response)
            if response.status != 101:
                raise Refused(_answer(response), await response.read())
            return response

        url, headers = outgoing(upstream, head)
        session = self._session(keep)
        limit = asyncio.timeout(self._answer_s)
        try:
            async with limit:
                ws = await session.ws_connect(
                    url,
                    protocols=head.subprotocols,
                    headers=headers,
                    autoclose=False,
                    autoping=False,
                    compress=_window(head),
                    max_msg_size=MAX_MESSAGE,
                    decode_text=False,
                )
        except (aiohttp.ClientError, OSError) as error:  # a TimeoutError is an OSError
            await session.close()
            late = f"no answer to the upgrade within {self._answer_s:g} s"
            why = late if limit.expired() else why_not(error)
            raise Unreachable(
                f"cannot reach {shown(upstream)}: {why}; check the upstream URL"
            ) from None
        except BaseException:
            await session.close()
            raise
        return Socket(ws, _answer(responses[-1], ws.protocol), session, responses[-1])

    def _session(self, *middlewares: ClientMiddlewareType) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=self._connector,
            connector_owner=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=_AS_IT_COMES,
            middlewares=middlewares,
        )


def _window(head: RequestHead) -> int:
    """Compression is offered to the upstream if the client offers it: audio gains nothing by it."""
    offers = header(head.headers, "sec-websocket-extensions") or ""
    return 15 if "permessage-deflate" in offers else 0


def _answer(response: ClientResponse, subprotocol: str | None = None) -> ResponseHead:
    return ResponseHead(
        response.status, response.reason or "", pairs(response.raw_headers), subprotocol
    )
