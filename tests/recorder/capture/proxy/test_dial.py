"""An upstream that takes the connection and never answers the upgrade."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from recorder.capture.proxy.dial import Dialer, Unreachable
from recorder.heads import RequestHead


async def test_an_upgrade_that_is_never_answered_is_given_up() -> None:
    gone = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while await reader.read(4096):
                pass
        writer.close()
        gone.set()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    dialer = Dialer(answer_s=0.05)
    try:
        with pytest.raises(Unreachable, match=r"no answer to the upgrade within 0\.05 s"):
            await dialer.dial(f"http://{host}:{port}", RequestHead("GET", "/v1/realtime"))
        await asyncio.wait_for(gone.wait(), 5)  # the connection is not left open
    finally:
        await dialer.close()
        server.close()
