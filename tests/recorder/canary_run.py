"""Carries the canaries through a real `record proxy` and gathers all that it left behind."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import closing
from pathlib import Path

import aiohttp
from aiohttp import ClientWebSocketResponse, WSMsgType, web
from canaries import Exchange, Ping, Place, Socket
from multidict import CIMultiDict
from new_stores import empty_store
from yarl import URL

from recorder.store import open_store

LAST = "/v1/last"
_PAUSE_S = 0.05  # between the pieces of a body, so that each arrives alone
_LONG_S = 20.0
_UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
_AnySocket = web.WebSocketResponse | ClientWebSocketResponse


class Wire:
    """Everything that arrived at either end, to prove that a canary crossed."""

    def __init__(self) -> None:
        self._seen: list[bytes] = []

    def saw(self, *things: object) -> None:
        """Keep what arrived: text, bytes or headers."""
        self._seen += [
            bytes(thing) if isinstance(thing, bytes | bytearray) else str(thing).encode()
            for thing in things
        ]

    @property
    def data(self) -> bytes:
        """All of it."""
        return b"\n".join(self._seen)


async def _slowly(pieces: Sequence[bytes]) -> AsyncIterator[bytes]:
    for number, piece in enumerate(pieces):
        if number:
            await asyncio.sleep(_PAUSE_S)
        yield piece


async def _send(socket: _AnySocket, frame: str | bytes | Ping) -> None:
    if isinstance(frame, Ping):
        await socket.ping(frame.payload)
    elif isinstance(frame, str):
        await socket.send_str(frame)
    else:
        await socket.send_bytes(frame)


async def _receive(socket: _AnySocket, wire: Wire) -> str | None:
    """The next text; None when the other side has closed."""
    while True:
        message = await socket.receive(_LONG_S)
        wire.saw(message.data, message.extra)
        if message.type is WSMsgType.TEXT:
            return str(message.data)
        if message.type is WSMsgType.PING:
            await socket.pong(message.data)
        elif message.type not in (WSMsgType.BINARY, WSMsgType.PONG):
            return None


class Upstream:
    """The provider: does what the place named by `x-place`, or by an order, wants of it."""

    def __init__(self, places: Iterable[Place], wire: Wire) -> None:
        self._places = {place.name: place.talk for place in places}
        self._wire = wire
        self._runner = web.ServerRunner(web.Server(self._handle))

    async def start(self) -> str:
        """Listen; returns HOST:PORT."""
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Listen no more."""
        await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self._wire.saw(request.raw_path, request.raw_headers, await request.read())
        talk = self._places.get(request.headers.get("x-place", ""), Exchange())
        if "upgrade" in request.headers:
            return await self._socket(request, talk if isinstance(talk, Socket) else Socket())
        assert isinstance(talk, Exchange)
        headers = CIMultiDict(talk.answer_headers)
        answer = web.StreamResponse(status=talk.status, reason=talk.reason, headers=headers)
        await answer.prepare(request)
        async for piece in _slowly(talk.answer):
            await answer.write(piece)
        return answer

    async def _socket(self, request: web.BaseRequest, talk: Socket) -> web.StreamResponse:
        if talk.refusal:
            status, headers, body = talk.refusal
            return web.Response(status=status, headers=CIMultiDict(headers), body=body)
        socket = web.WebSocketResponse(protocols=("realtime",), autoping=False)
        socket.headers.update(CIMultiDict(talk.answer_headers))
        await socket.prepare(request)
        while (text := await _receive(socket, self._wire)) is not None:
            if text.startswith("order "):
                await self._obey(socket, text.removeprefix("order "))
        return socket

    async def _obey(self, socket: web.WebSocketResponse, name: str) -> None:
        talk = self._places[name]
        assert isinstance(talk, Socket)
        for frame in talk.provider:
            await _send(socket, frame)
        await socket.send_str("done")
        who, why = talk.closes
        if who == "provider":
            await socket.close(code=4001, message=why.encode())


class Client:
    """The application: goes through the places one after the other."""

    def __init__(self, base: str, wire: Wire) -> None:
        self._base, self._wire = base, wire

    async def visit(self, places: Sequence[Place]) -> None:
        """All places; those that need no handshake of their own share a connection."""
        sockets = [place for place in places if isinstance(place.talk, Socket)]
        plain = [place for place in sockets if _is_plain(place.talk)]
        async with aiohttp.ClientSession() as http:
            await self._converse(http, plain)
            for place in sockets:
                if place not in plain:
                    await self._converse(http, [place])
            for place in places:
                if isinstance(place.talk, Exchange):
                    await self._exchange(http, place.name, place.talk)

    async def ask(self, path: str) -> int:
        """The status of a plain request, and of an upgrade if the path is that of sockets."""
        headers = _UPGRADE if path.endswith("/realtime") else {}
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"{self._base}{path}", headers=headers) as answer,
        ):
            self._wire.saw(answer.raw_headers, await answer.read())
            return answer.status

    async def _converse(self, http: aiohttp.ClientSession, places: Sequence[Place]) -> None:
        talk = places[0].talk
        assert isinstance(talk, Socket)
        url = URL(f"{self._base}/v1/realtime?{talk.query}", encoded=True)
        headers = CIMultiDict((*talk.headers, ("x-place", places[0].name)))
        if talk.refusal:
            async with http.get(url, headers=CIMultiDict({**headers, **_UPGRADE})) as answer:
                assert answer.status == talk.refusal[0]
                self._wire.saw(answer.raw_headers, await answer.read())
            return
        async with http.ws_connect(
            url, headers=headers, protocols=talk.protocols, autoping=False
        ) as socket:
            self._wire.saw(socket._response.raw_headers)
            for place in places:
                await self._order(socket, place)
            who, why = talk.closes
            if who == "client":
                await socket.close(code=4000, message=why.encode())
            else:
                assert await _receive(socket, self._wire) is None

    async def _order(self, socket: ClientWebSocketResponse, place: Place) -> None:
        assert isinstance(place.talk, Socket)
        for frame in place.talk.client:
            await _send(socket, frame)
        await socket.send_str(f"order {place.name}")
        while (text := await _receive(socket, self._wire)) != "done":
            assert text is not None, place.name

    async def _exchange(self, http: aiohttp.ClientSession, name: str, talk: Exchange) -> None:
        query = f"?{talk.query}" if talk.query else ""
        url = URL(f"{self._base}{talk.path}{query}", encoded=True)
        data = _slowly(talk.body) if len(talk.body) > 1 else b"".join(talk.body) or None
        headers = CIMultiDict((*talk.headers, ("x-place", name)))
        async with http.request(
            talk.method, url, headers=headers, data=data, allow_redirects=False
        ) as answer:
            assert answer.status == talk.status, name
            self._wire.saw(answer.reason, answer.raw_headers, await answer.read())


def _is_plain(talk: Socket | Exchange) -> bool:
    """Whether nothing is special about its connection."""
    return isinstance(talk, Socket) and talk == Socket(talk.client, talk.provider)


class Proxy:
    """A `record proxy` with its store in `folder`; says as much as it can on standard error."""

    def __init__(self, folder: Path, upstream: str, environ: dict[str, str]) -> None:
        self.path = folder / "tape.db"
        self.out, self.err = folder / "out.txt", folder / "err.txt"
        empty_store(self.path)
        self._argv = [sys.executable, "-m", "recorder", "proxy", "--store", str(self.path)]
        self._argv += ["--listen", "127.0.0.1:0", "--openai-url", upstream, "-v"]
        self._environ = {**os.environ, **environ}

    async def start(self) -> str:
        """Returns HOST:PORT once it accepts connections."""
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self._process = await asyncio.create_subprocess_exec(
                *self._argv, stdout=out, stderr=err, env=self._environ
            )
        async with asyncio.timeout(_LONG_S):
            while not self.out.read_text().startswith("ready "):
                assert self._process.returncode is None, self.err.read_text()
                await asyncio.sleep(0.02)
        return self.out.read_text().split()[1].removeprefix("http://")

    async def stored(self, type_: str) -> None:
        """Wait until an event of this type is in the store, and all before it."""
        async with asyncio.timeout(_LONG_S):
            while not await asyncio.to_thread(self._has, type_):
                await asyncio.sleep(0.05)

    async def stop(self) -> int:
        """End it as an operator would; returns its exit code."""
        self._process.send_signal(signal.SIGTERM)
        return await self._process.wait()

    def files(self, folder: Path) -> list[Path]:
        """Copies of the store's files as they are now."""
        folder.mkdir()
        found = sorted(self.path.parent.glob(f"{self.path.name}*"))
        return [Path(shutil.copy(path, folder)) for path in found]

    def _has(self, type_: str) -> bool:
        with closing(open_store(str(self.path), create=False, readonly=True)) as store:
            return any(
                event.type == type_ for row in store.sessions() for event in store.events(row.id)
            )


async def malformed(address: str, request: bytes) -> bytes:
    """What the proxy answers to bytes that are no HTTP."""
    reader, writer = await asyncio.open_connection(*address.split(":"))
    writer.write(request)
    answer = await asyncio.wait_for(reader.read(), _LONG_S)
    writer.close()
    return answer
