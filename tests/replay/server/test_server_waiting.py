"""Waits behind real sockets end at once when there is nothing to wait for any more."""

from __future__ import annotations

import asyncio

import pytest
import websockets
from replaying import player
from tapes import Script, Take, session_object
from websockets.exceptions import ConnectionClosed

from recorder.clock import SystemClock
from replay.player import Player
from replay.server import MachineServer

PATH = "/openai/v1/realtime?model=gpt-realtime"
HOUR_MS = 3_600_000


def far_away(channel: int = 1) -> list[Take]:
    """The provider says nothing for an hour."""
    script = Script(channel).open().wait(HOUR_MS)
    return script.provider("session.created", session=session_object()).close().takes


def serving(machine: Player) -> MachineServer:
    return MachineServer(machine, SystemClock(), prefix="/openai")


def dial(server: MachineServer) -> websockets.connect:
    return websockets.connect("ws" + server.url.removeprefix("http") + PATH)


async def reading(socket: websockets.ClientConnection) -> asyncio.Task[object]:
    """A client that waits for the next message."""
    task: asyncio.Task[object] = asyncio.create_task(socket.recv())
    await asyncio.sleep(0)
    assert not task.done()
    return task


async def test_a_server_that_stops_releases_a_client_that_reads() -> None:
    async with asyncio.timeout(10):
        async with serving(player(far_away(), 1.0)) as server:
            task = await reading(await dial(server))
        with pytest.raises(ConnectionClosed) as closed:
            await task
    assert closed.value.rcvd
    assert closed.value.rcvd.code == 1001


async def test_a_failure_on_one_connection_releases_a_client_that_reads_on_another() -> None:
    async with asyncio.timeout(10), serving(player([*far_away(1), *far_away(2)], 1.0)) as server:
        first, second = await dial(server), await dial(server)
        task = await reading(second)
        await first.send('{"type":"response.create"}')
        with pytest.raises(ConnectionClosed) as closed:
            await task
    assert closed.value.rcvd
    assert closed.value.rcvd.code == 1001
    assert "replay: the client sent response.create" in closed.value.rcvd.reason


async def test_who_waits_for_the_end_of_a_replay_can_be_cancelled() -> None:
    machine = player(far_away(), 1.0)
    async with asyncio.timeout(10), serving(machine) as server, dial(server):
        waiting = asyncio.create_task(server.until(lambda: machine.finished, HOUR_MS / 1000))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert not machine.finished
