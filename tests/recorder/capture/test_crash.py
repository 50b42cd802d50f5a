"""`kill -9` under load: the file opens, verifies, reads as interrupted, and lacks at most 100 ms.

RECORDER_KILLS sets how often (each takes some seconds).
"""

from __future__ import annotations

import asyncio
import base64
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from aiohttp import WSMsgType, web
from new_stores import empty_store
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from recorder.capture.runs import runs_by_id, status_now
from recorder.clock import SystemClock
from recorder.recording import Recording
from recorder.store import open_store
from recorder.verify import verify

KILLS = int(os.environ.get("RECORDER_KILLS", "3"))
MAY_LACK_S = 0.1


async def echo(request: web.BaseRequest) -> web.StreamResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        if message.type is WSMsgType.TEXT:
            await socket.send_str(message.data)
    return socket


def children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(text) for text in found.read_text().split()] if found.exists() else []


async def talk(base: str, seen: dict[int, float], call: int) -> None:
    """Send numbered audio as fast as 200 a second; note when each came back."""
    noise = random.Random(call)
    url = f"ws{base.removeprefix('http')}/openai/v1/realtime?model=call-{call}"
    try:
        async with connect(url) as socket:
            for number in range(call * 100_000, call * 100_000 + 5_000):
                audio = base64.b64encode(noise.randbytes(960)).decode()
                await socket.send(
                    f'{{"type":"input_audio_buffer.append","n":{number},"audio":"{audio}"}}'
                )
                await socket.recv()
                seen[number] = time.monotonic()
                await asyncio.sleep(0.005)
    except (ConnectionClosed, OSError):
        return


async def crash(path: Path, upstream: str, chance: random.Random, victims: str) -> dict[int, float]:
    """Run a proxy, load it, kill it; what came back to the clients 100 ms before or earlier."""
    argv = [sys.executable, "-m", "recorder", "proxy", "--store", str(empty_store(path))]
    argv += ["--listen", "127.0.0.1:0", "--openai-url", upstream, "--trial", "crash"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as proxy:
        assert proxy.stdout
        base = (await asyncio.to_thread(proxy.stdout.readline)).split()[1]
        writers = children(proxy.pid)
        seen: dict[int, float] = {}
        calls = [asyncio.create_task(talk(base, seen, call)) for call in range(1, 5)]
        await asyncio.sleep(chance.uniform(0.3, 2.0))
        killed = time.monotonic()
        chosen = {"proxy": [proxy.pid], "writer": writers, "both": [proxy.pid, *writers]}[victims]
        for pid in chosen:
            os.kill(pid, signal.SIGKILL)
        await asyncio.gather(*calls)
        if victims == "writer":
            proxy.send_signal(signal.SIGTERM)
        await asyncio.to_thread(proxy.wait)
        for pid in set(writers) - set(chosen):
            while Path(f"/proc/{pid}").exists():
                await asyncio.sleep(0.02)
    return {number: at for number, at in seen.items() if at <= killed - MAY_LACK_S}


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds the writer through /proc")
@pytest.mark.parametrize("round_", range(KILLS))
async def test_what_a_kill_leaves(tmp_path: Path, round_: int) -> None:
    server = web.ServerRunner(web.Server(echo))
    await server.setup()
    await web.TCPSite(server, "127.0.0.1", 0).start()
    upstream = f"http://127.0.0.1:{server.addresses[0][1]}"
    chance = random.Random(round_ if KILLS == 3 else time.monotonic_ns())
    path = tmp_path / "tape.db"
    must_have = await crash(path, upstream, chance, ["both", "proxy", "writer"][round_ % 3])
    await server.cleanup()
    assert must_have
    store = open_store(f"sqlite:///{path}", create=False, readonly=True)
    runs, now = runs_by_id(store), SystemClock().wall_ns()
    stored: set[int] = set()
    for row in store.sessions():
        assert status_now(row, runs, now) == "interrupted"
        assert verify(store, row).fault is None
        for event in Recording(store, row.id).events():
            if event.kind == "ws.text" and event.sender == "provider":
                stored.add(int(event.body.split(b'"n":')[1].split(b",")[0]))
    assert must_have.keys() <= stored
    store.close()
