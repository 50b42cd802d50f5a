"""Carries the canaries through a real `record proxy` and gathers all that it left behind."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from aiohttp import WSMsgType, hdrs, web
from canaries import Exchange, Frames, Pairs, Ping, Place, Socket
from commandline import run
from multidict import CIMultiDict
from yarl import URL

from recorder.recording import Recording
from recorder.store import open_store

_PAUSE_S = 0.05  # between the pieces of a body, so that each arrives alone
_LONG_S = 20.0


class Wire:
    """Everything that arrived at either end, so that a test can prove that a canary crossed."""

    def __init__(self) -> None:
        self._seen: list[bytes] = []

    def saw(self, *things: object) -> None:
        """Keep what arrived: text, bytes or headers."""
        for thing in things:
            data = thing if isinstance(thing, bytes) else str(thing).encode()
            self._seen.append(data)

    @property
    def data(self) -> bytes:
        return b"\n".join(self._seen)


class Upstream:
    """The provider: does what the place named in `x-place`, or by an order, wants of it."""

    def __init__(self, places: Iterable[Place], wire: Wire) -> None:
        self._places = {place.name: place for place in places}
        self._wire = wire

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self._wire.saw(request.raw_path, request.raw_headers, await request.read())
        place = self._places.get(request.headers.get("x-place", ""))
        talk = place.talk if place else Socket()
        if isinstance(talk, Socket):
            return await self._socket(request, talk)
        headers = CIMultiDict(talk.answer_headers)
        answer = web.StreamResponse(status=talk.status, reason=talk.reason, headers=headers)
        await answer.prepare(request)
        async for piece in slowly(talk.answer):
            await answer.write(piece)
        return answer

    async def _socket(self, request: web.BaseRequest, talk: Socket) -> web.StreamResponse:
        if talk.refusal:
            status, headers, body = talk.refusal
            return web.Response(status=status, headers=CIMultiDict(headers), body=body)
        socket = web.WebSocketResponse(protocols=("realtime",), autoping=False)
        socket.headers.update(CIMultiDict(talk.answer_headers))
        await socket.prepare(request)
        async for message in socket:
            self._wire.saw(message.data)
            if message.type is WSMsgType.PING:
                await socket.pong(message.data)
            elif message.type is WSMsgType.TEXT and message.data.startswith("order "):
                await self._obey(socket, message.data.split()[1])
        self._wire.saw(socket._reader and socket.close_code, _reason(socket))
        return socket

    async def _obey(self, socket: web.WebSocketResponse, name: str) -> None:
        talk = self._places[name].talk
        assert isinstance(talk, Socket)
        for frame in talk.provider:
            await _send(socket, frame)
        await socket.send_str("done")
        who, why = talk.closes
        if who == "provider":
            await socket.close(code=4001, message=why.encode())
