"""What a long conversation does to the recorder's memory."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.peers import Collector, Source, connect, serve
from benchmarks.processes import Contender
from benchmarks.traffic import messages

_FIRST = 10_000


async def growth(start: Callable[[int, Path], Contender], kilobytes: float) -> int:
    """Resident bytes after 110,000 messages less those after 10,000."""
    texts = messages(_FIRST, kilobytes) * 11
    with tempfile.TemporaryDirectory() as name:
        server, port = await serve(lambda: Source(texts))
        contender = start(port, Path(name))
        marks: list[int] = []

        def seen(count: int) -> None:
            if count == _FIRST:
                marks.append(contender.resident())

        client = Collector(len(texts), seen)
        transport = await connect(contender.base, client)
        transport.send(1, b'{"type":"response.create"}')  # type: ignore[arg-type]
        await asyncio.wait_for(client.done.wait(), 300)
        marks.append(contender.resident())
        transport.disconnect()
        await asyncio.to_thread(contender.stop)
        server.close()
    return marks[1] - marks[0]
