"""The two ends of a benchmark, on picows so that they cost little beside what stands between."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from picows import (
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    ws_connect,
    ws_create_server,
)

PATH = "/v1/realtime?model=gpt-realtime"
_HIGH = 4 << 20


class Source(WSListener):
    """A provider: on the first message of a client it sends everything, as fast as it may."""

    def __init__(self, messages: Sequence[bytes]) -> None:
        self._messages = messages
        self._free = asyncio.Event()
        self._free.set()
        self._task: asyncio.Task[None] | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        transport.underlying_transport.set_write_buffer_limits(_HIGH)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code(), frame.get_close_message())
            transport.disconnect()
        elif self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._blast(transport))

    def pause_writing(self) -> None:
        self._free.clear()

    def resume_writing(self) -> None:
        self._free.set()

    async def _blast(self, transport: WSTransport) -> None:
        for number, message in enumerate(self._messages):
            transport.send(WSMsgType.TEXT, message)
            if not self._free.is_set():
                await self._free.wait()
            if number % 64 == 63:
                await asyncio.sleep(0)


class Collector(WSListener):
    """A client that counts what comes and says when it has all."""

    def __init__(self, expected: int, seen: Callable[[int], None] | None = None) -> None:
        self.done = asyncio.Event()
        self.size = 0
        self._left = expected
        self._count = 0
        self._seen = seen

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is not WSMsgType.TEXT:
            return
        self.size += frame.payload_size
        self._count += 1
        self._left -= 1
        if self._seen:
            self._seen(self._count)
        if self._left == 0:
            self.done.set()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.done.set()


class Stopwatch(WSListener):
    """An end that notes how late each message came: nanoseconds after the moment in its text."""

    def __init__(self) -> None:
        self.late_ns: list[int] = []

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        now = time.monotonic_ns()
        if frame.msg_type is WSMsgType.TEXT:
            text = frame.get_payload_as_bytes()
            at = text.find(b'"due":') + 6
            self.late_ns.append(now - int(text[at : text.index(b",", at)]))
        elif frame.msg_type is WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code(), frame.get_close_message())
            transport.disconnect()


async def serve(
    make: Callable[[], WSListener],
    accepted: Callable[[WSListener, WSTransport], None] | None = None,
) -> tuple[asyncio.Server, int]:
    """A server on a free port whose connections are made by `make`."""

    def factory(request: WSUpgradeRequest) -> WSListener:
        return make()

    server = await ws_create_server(factory, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]


async def connect(base: str, listener: WSListener) -> WSTransport:
    """Dial the provider's path at `base` (ws://…)."""
    headers = {"Authorization": "Bearer sk-proj-benchmark-0000000000000000"}
    transport, _ = await ws_connect(lambda: listener, base + PATH, extra_headers=headers)
    transport.underlying_transport.set_write_buffer_limits(_HIGH)
    return transport
