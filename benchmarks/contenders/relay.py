"""A relay on the `websockets` library that records nothing, or one ORM object a message.

python -m benchmarks.contenders.relay UPSTREAM_WS_URL [DATABASE]
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable

from websockets.asyncio.client import connect
from websockets.asyncio.connection import Connection
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

Keep = Callable[[str, str], None]


def orm_recorder(path: str) -> Keep:
    """Keeps each message as an object of its own."""
    from benchmarks.contenders.orm import keeper

    return keeper(path)


async def main(upstream: str, keep: Keep | None) -> None:
    async def pump(source: Connection, sink: Connection, sender: str) -> None:
        try:
            async for message in source:
                if keep:
                    keep(sender, str(message))
                await sink.send(message)
        except ConnectionClosed:
            pass
        await sink.close()

    async def handle(client: ServerConnection) -> None:
        assert client.request
        url = upstream + client.request.path
        async with connect(url, compression=None, max_size=None) as provider:
            await asyncio.gather(
                pump(client, provider, "client"), pump(provider, client, "provider")
            )

    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with serve(handle, "127.0.0.1", 0, compression=None, max_size=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        print(f"ready http://127.0.0.1:{port}", flush=True)
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], orm_recorder(sys.argv[2]) if len(sys.argv) > 2 else None))
