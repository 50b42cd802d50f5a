"""Posts what a machine delivers to an application's server, and brings its answers back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import aiohttp
from yarl import URL

from recorder.capture.log import DeliveryLog, Log
from recorder.capture.proxy.headers import forwarded, pairs
from recorder.events import Message
from recorder.heads import RequestHead, ResponseHead
from replay.server.connection import MAX_MESSAGE

LIMIT_S = 20.0  # how long an application has to answer, as with Vapi by default
_AGAIN_S = 0.05  # between two attempts to reach a server that is starting
_OWN = ("content-length", "content-encoding")  # bodies are sent decoded and measured anew


class Courier:
    """Delivers webhooks of one machine, each in a task of its own.

    To one server they are sent in the order in which they were posted: each begins when the one
    before it has left. `feed` gets a `webhook.response` for each, with status 0 and the reason if
    there was no answer. A server that refuses connections may be starting: it is asked again for
    `starting_s`, until it has answered once. `answered` counts the answers.
    """

    def __init__(
        self,
        feed: Callable[[Message], None],
        log: Log,
        limit_s: float,
        starting_s: float = 0.0,
    ) -> None:
        self._feed, self._log, self._limit_s = feed, log, limit_s
        self.answered = 0
        self._tries = round(starting_s / _AGAIN_S)  # left, of asking a server that refuses
        self._tasks: set[asyncio.Task[None]] = set()
        self._left: dict[URL, asyncio.Event] = {}  # by server: the latest one has left
        self._http: aiohttp.ClientSession | None = None

    def post(self, message: Message) -> None:
        """Deliver a `webhook.request`; its path is the URL."""
        head = RequestHead.decode(message.body)
        url = URL(head.path + (f"?{head.query}" if head.query else ""), encoded=True)
        log = self._log.delivery(head, message.payload)
        left = asyncio.Event()
        before = self._left.get(url.origin())
        self._left[url.origin()] = left
        task = asyncio.create_task(self._deliver(message, head, url, log, before, left))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Deliver nothing more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._http:
            await self._http.close()

    async def _deliver(
        self,
        message: Message,
        head: RequestHead,
        url: URL,
        log: DeliveryLog,
        before: asyncio.Event | None,
        left: asyncio.Event,
    ) -> None:
        try:
            if before:
                await before.wait()
            answer, body = await self._ask_patiently(message, head, url, left)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            reason = str(error) or f"no answer within {self._limit_s:g} s"
            log.failed(reason)
            answer, body = ResponseHead(0, reason), b""
        else:
            log.answered(answer, body)
        finally:
            left.set()
            log.end()
        self._feed(Message(message.channel, "webhook.response", answer.encode(), body))

    async def _ask_patiently(
        self, message: Message, head: RequestHead, url: URL, left: asyncio.Event
    ) -> tuple[ResponseHead, bytes]:
        while True:
            try:
                answer = await self._ask(message, head, url, left)
            except aiohttp.ClientConnectorError as error:
                if not isinstance(error.os_error, ConnectionRefusedError) or self._tries <= 0:
                    raise
                self._tries -= 1
                await asyncio.sleep(_AGAIN_S)
            else:
                self._tries, self.answered = 0, self.answered + 1
                return answer

    async def _ask(
        self, message: Message, head: RequestHead, url: URL, left: asyncio.Event
    ) -> tuple[ResponseHead, bytes]:
        headers = forwarded(head.headers)
        for name in _OWN:
            headers.popall(name, None)
        async with self._session().request(
            head.method,
            url,
            data=message.payload,
            headers=headers,
            allow_redirects=False,
            trace_request_ctx=left,
        ) as response:
            body = await response.content.read(MAX_MESSAGE)
            while not response.content.at_eof() and len(body) < MAX_MESSAGE:
                body += await response.content.read(MAX_MESSAGE - len(body))
            return ResponseHead(
                response.status, response.reason or "", pairs(response.raw_headers)
            ), body

    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            trace = aiohttp.TraceConfig()
            trace.on_request_chunk_sent.append(_left)
            self._http = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                timeout=aiohttp.ClientTimeout(total=self._limit_s),
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=("User-Agent", "Accept", "Content-Type"),
                trace_configs=[trace],
            )
        return self._http


async def _left(_: aiohttp.ClientSession, context: SimpleNamespace, __: Any) -> None:
    """The body is on its way: the next webhook may go out."""
    context.trace_request_ctx.set()
