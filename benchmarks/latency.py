"""How late messages come through: an open loop, every message measured from its due moment."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from picows import WSMsgType, WSTransport

from benchmarks.peers import Stopwatch, connect, serve
from benchmarks.processes import Contender

CALLS = 20
PER_SECOND = 50
_AUDIO = "A" * 1280


class Late(NamedTuple):
    """Milliseconds between the moment a message was due and the moment it came."""

    p50: float
    p99: float
    p999: float
    worst: float


def _message(number: int, due: int) -> bytes:
    """An append of 1,280 characters with its due moment; its audio differs from the last."""
    return b'{"type":"input_audio_buffer.append","due":%d,"audio":"%s"}' % (
        due,
        f"{number % 10_000:04d}{_AUDIO[4:]}".encode(),
    )


async def _talk(transport: WSTransport, begin_ns: int, count: int) -> None:
    step = 1_000_000_000 // PER_SECOND
    for number in range(count):
        due = begin_ns + number * step
        wait = (due - time.monotonic_ns()) / 1e9
        if wait > 0:
            await asyncio.sleep(wait)
        transport.send(WSMsgType.TEXT, _message(number, due))


class _Provider(Stopwatch):
    """The provider's end: measures what comes, and talks from its first message on."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self._count = count
        self._talking: asyncio.Task[None] | None = None

    def on_ws_frame(self, transport: WSTransport, frame: object) -> None:
        super().on_ws_frame(transport, frame)  # type: ignore[arg-type]
        if self._talking is None:
            begin = time.monotonic_ns() + 7_000_000
            self._talking = asyncio.get_running_loop().create_task(
                _talk(transport, begin, self._count)
            )


async def latency(start: Callable[[int, Path], Contender] | None, seconds: int) -> Late:
    """Both ways, `CALLS` calls at once; None measures without anything in between."""
    ends: list[Stopwatch] = []
    count = seconds * PER_SECOND

    def provider() -> Stopwatch:
        ends.append(_Provider(count))
        return ends[-1]

    with tempfile.TemporaryDirectory() as name:
        server, port = await serve(provider)
        contender = start(port, Path(name)) if start else None
        base = contender.base if contender else f"ws://127.0.0.1:{port}"
        transports = []
        for _ in range(CALLS):
            ends.append(Stopwatch())
            transports.append(await connect(base, ends[-1]))
        await asyncio.sleep(0.3)
        begin = time.monotonic_ns() + 50_000_000
        await asyncio.gather(
            *(
                _talk(transport, begin + call * 1_000_000, count)
                for call, transport in enumerate(transports)
            )
        )
        await _until_arrived(ends, 2 * CALLS * count)
        for transport in transports:
            transport.disconnect()
        if contender:
            await asyncio.to_thread(contender.stop)
        server.close()
    warm = [late for end in ends for late in end.late_ns[PER_SECOND:]]
    warm.sort()
    at = [warm[min(int(len(warm) * share), len(warm) - 1)] / 1e6 for share in (0.5, 0.99, 0.999)]
    return Late(*at, warm[-1] / 1e6)


async def _until_arrived(ends: list[Stopwatch], expected: int) -> None:
    for _ in range(200):
        arrived = sum(len(end.late_ns) for end in ends)
        if arrived == expected:
            return
        await asyncio.sleep(0.05)
    raise SystemExit(f"{arrived} of {expected} messages arrived")
