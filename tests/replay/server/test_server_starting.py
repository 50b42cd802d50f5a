"""An application's server that is not there yet when its first webhook goes out."""

from __future__ import annotations

import asyncio

from aiohttp import web
from test_server_deliveries import Scripted, hook

from recorder.clock import SystemClock
from replay.appenv import free_port
from replay.server import MachineServer


async def _answer(request: web.BaseRequest) -> web.Response:
    return web.Response(text="hello")


async def test_a_server_that_starts_late_gets_its_webhooks_once_and_in_order() -> None:
    port = free_port()
    machine = Scripted([hook(at, f"http://127.0.0.1:{port}/{at}") for at in range(2)])
    seen: list[str] = []

    async def handler(request: web.BaseRequest) -> web.Response:
        seen.append(request.path)
        return await _answer(request)

    runner = web.ServerRunner(web.Server(handler))
    server = MachineServer(machine, SystemClock(), prefix="/vapi", starting_s=10)
    async with asyncio.timeout(10), server:
        assert not await server.until(lambda: bool(machine.came), 0.15)
        assert server.served == 0
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        await server.until(lambda: len(machine.came) == 2)
        assert server.served == 2
    await runner.cleanup()
    assert seen == ["/0", "/1"]
    assert machine.answers == {0: (200, b"hello"), 1: (200, b"hello")}


async def test_a_server_that_does_not_come_is_told_when_its_time_is_over() -> None:
    machine = Scripted([hook(0, f"http://127.0.0.1:{free_port()}/")])
    server = MachineServer(machine, SystemClock(), prefix="/vapi", starting_s=0.1)
    async with asyncio.timeout(10), server:
        await server.until(lambda: bool(machine.came))
    assert machine.answers[0][0] == 0


async def test_without_a_time_to_start_nothing_is_waited_for() -> None:
    machine = Scripted([hook(0, f"http://127.0.0.1:{free_port()}/")])
    async with MachineServer(machine, SystemClock(), prefix="/vapi") as server:
        assert await server.until(lambda: bool(machine.came), 5)
    assert machine.answers[0][0] == 0
