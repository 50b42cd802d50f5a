"""An upstream that cannot be reached, or takes the connection and never answers the upgrade."""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import suppress

import aiohttp
import pytest

from recorder.capture.proxy.dial import Dialer, Unreachable, why_not
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


def refused_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def test_a_refused_connection_is_called_that() -> None:
    async def ask() -> None:
        async with aiohttp.ClientSession() as client:
            await client.get(f"http://127.0.0.1:{refused_port()}")

    with pytest.raises(aiohttp.ClientError) as told:
        asyncio.run(ask())
    assert why_not(told.value) == "Connection refused"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (socket.gaierror(-2, "Name or service not known"), "Name or service not known"),
        (ssl.SSLError(1, "certificate verify failed"), "certificate verify failed"),
        (TimeoutError(), "TimeoutError"),
        (aiohttp.ServerDisconnectedError("gone"), "gone"),
    ],
)
def test_other_reasons(error: Exception, words: str) -> None:
    assert words in why_not(error)
