"""Why an upstream could not be reached, in words that help."""

from __future__ import annotations

import asyncio
import socket
import ssl

import aiohttp
import pytest

from recorder.capture.proxy.dial import why_not


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
