"""The writer as a process of its own, fed by a socket pair: what the proxy uses.

Passing messages on and storing them then share no interpreter lock. The recording side stamps
and sends; what the socket does not take yet is the bounded queue. If the recording side dies, the
writer still stores all that was sent; if the writer dies, every open tape fails.

Down the socket go lists of items, `("flush", n)` and `("close",)`; up come `("ready", ended)`,
`("failed", tape, text)`, `("flushed", n)` and `("error", text)`.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections import deque
from typing import Any

from recorder.capture.framing import PREFIX, batch, body_bytes, unpack, word
from recorder.capture.ledger import OVERHEAD, OnFailure
from recorder.capture.opening import QUEUE_BYTES, TapeOpener
from recorder.capture.tap import Happened, Order, Tape
from recorder.clock import Clock
from recorder.errors import RecorderError, StoreError
from recorder.store.base import SessionRow

CLOSE = ("close",)
_FRAME_ITEMS = 1000  # in one frame at most; `sendmsg` takes 1024 buffers
_FRAME_BYTES = 1 << 20  # of bodies, and what the last is longer: the other end keeps room for it


class WriterProcess(TapeOpener):
    """Owns the writing side of a store in another process. Lives on one event loop."""

    def __init__(
        self,
        store_url: str,
        clock: Clock,
        *,
        on_failure: OnFailure = "end",
        limit: int = QUEUE_BYTES,
        redact_pii: bool = False,
    ) -> None:
        super().__init__(clock, limit)
        self.store_url, self._on_failure, self._redact_pii = store_url, on_failure, redact_pii
        self._queue: deque[Any] = deque()
        self._flushing: list[int] = []
        self._flushes: dict[int, asyncio.Future[None]] = {}
        self._more = asyncio.Event()
        self._waking = False  # `_more` is about to be set for `put`
        self._room = asyncio.Event()
        self._closing = False
        self._lost: RecorderError | None = None
        self._last_flush = 0
        self.fell = asyncio.Event()  # set when the process has died unasked
        self.ending = asyncio.Event()  # set when a tape was told to end, or was found unended

    async def start(self) -> list[str]:
        """Begin; returns the sessions of dead runs that were ended as interrupted."""
        self._loop = asyncio.get_running_loop()
        mine, theirs = socket.socketpair()
        with theirs:
            number = theirs.fileno()
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "recorder.capture.process_main",
                str(number),
                pass_fds=(number,),
                stdin=asyncio.subprocess.DEVNULL,
            )
        mine.setblocking(False)
        self._sock = mine
        await self._send([word((self.store_url, self._on_failure, self._redact_pii, self.run))])
        answer = await self._receive()
        if answer is None or answer[0] != "ready":
            mine.close()
            await self._process.wait()
            raise StoreError(answer[1] if answer else "the writer process could not start")
        self._talking = asyncio.create_task(self._talk())
        self._listening = asyncio.create_task(self._listen())
        if answer[1]:
            self.ending.set()
        return list(answer[1])

    def put(self, item: Happened | Order, size: int) -> None:
        if self._lost:
            return  # the tape knows: see `_begin` and `_fall`
        self._queue.append(tuple(item))
        self._put_bytes += size + OVERHEAD
        if not self._waking:  # once for all that comes before `_talk` is there
            self._waking = True
            self._loop.call_soon_threadsafe(self._more.set)
        if isinstance(item, Order) and item.action == "end":
            self._loop.call_soon_threadsafe(self.ending.set)

    async def room(self) -> None:
        """Wait until the queue is half empty or the writer has ended."""
        while self._put_bytes - self._taken_bytes > self._limit // 2 and not self._lost:
            self._room.clear()
            await self._room.wait()

    async def drained(self) -> None:
        """Wait until everything queued before this call is committed (or has failed)."""
        if self._lost:
            raise self._lost
        self._last_flush = number = self._last_flush + 1
        done = self._flushes[number] = self._loop.create_future()
        self._flushing.append(number)
        self._more.set()
        await done

    async def close(self) -> None:
        """Drain, end every open session, seal, mark the run as ended and wait for the process."""
        for tape in list(self._tapes.values()):
            tape.end()
        self._closing = True
        self._more.set()
        await self._listening
        await self._talking
        self._sock.close()
        code = await self._process.wait()
        if self._lost:
            raise self._lost
        if code:
            raise StoreError(f"the writer process ended with code {code}; run `record verify`")

    async def _talk(self) -> None:
        """Send what is queued, in frames; a full socket leaves the rest in the queue."""
        queue = self._queue
        try:
            while True:
                await self._more.wait()
                self._more.clear()
                self._waking = False
                while queue:
                    items = self._fitting()
                    frame, size = batch(items)
                    await self._send(frame)
                    self._taken_bytes += size + OVERHEAD * len(items)
                    self._room.set()
                while self._flushing:
                    await self._send([word(("flush", self._flushing.pop(0)))])
                if self._closing:
                    await self._send([word(CLOSE)])
                    return
        except OSError:
            return  # `_listen` sees the end of the process and says so

    def _fitting(self) -> list[tuple[Any, ...]]:
        """What goes in the next frame, out of the queue."""
        queue, size = self._queue, 0
        items: list[tuple[Any, ...]] = []
        while queue and size < _FRAME_BYTES and len(items) < _FRAME_ITEMS:
            item = queue.popleft()
            items.append(item)
            size += body_bytes(item)
        return items

    async def _listen(self) -> None:
        while (answer := await self._receive()) is not None:
            kind, value = answer[0], answer[1]
            if kind == "flushed":
                done = self._flushes.pop(value)
                if not done.done():
                    done.set_result(None)
            elif kind == "failed":
                self._failed(value, StoreError(answer[2]))
        if self._closing:
            self._refuse_flushes(StoreError("the writer process has ended"))
        else:
            self._fall(StoreError("the writer process has died; see its message above"))

    def _fall(self, error: RecorderError) -> None:
        self._lost = error
        self._queue.clear()
        self.fell.set()
        self._room.set()
        for tape in list(self._tapes.values()):
            tape.fail(error)
        self._refuse_flushes(error)

    def _refuse_flushes(self, error: RecorderError) -> None:
        for done in self._flushes.values():
            if not done.done():
                done.set_exception(error)

    def _begin(self, row: SessionRow, anchor: int, channels: int) -> Tape:
        tape = super()._begin(row, anchor, channels)
        if self._lost:
            tape.fail(self._lost)
        return tape

    async def _send(self, buffers: list[bytes | memoryview]) -> None:
        at = 0  # the first buffer that is not wholly sent
        while at < len(buffers):
            try:
                sent = self._sock.sendmsg(buffers[at:])
            except BlockingIOError:
                await self._writable()
                continue
            while at < len(buffers) and sent >= len(buffers[at]):
                sent -= len(buffers[at])
                at += 1
            if sent:
                buffers[at] = memoryview(buffers[at])[sent:]

    async def _writable(self) -> None:
        ready = asyncio.Event()
        self._loop.add_writer(self._sock, ready.set)
        try:
            await ready.wait()
        finally:
            self._loop.remove_writer(self._sock)

    async def _receive(self) -> Any:
        """The next frame, or None at the end."""
        prefix = await self._exactly(PREFIX.size)
        head = await self._exactly(PREFIX.unpack(prefix)[0]) if prefix else b""
        return unpack(head, len(head), 0) if head else None

    async def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            try:
                piece = await self._loop.sock_recv(self._sock, size - len(data))
            except OSError:
                return b""
            if not piece:
                return b""
            data += piece
        return data
