"""A file that may not grow any more ends the conversation, and what was stored can be read."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from aiohttp import web
from new_stores import empty_store
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from recorder.recording import Recording
from recorder.store import open_store
from recorder.verify import verify
from tests.recorder.capture.test_crash import echo

BLOCKS = 2_000  # of 1 KB, for each file


async def until_closed(base: str) -> tuple[list[str], int | None, int]:
    """Send audio until the connection is closed, or 6 MB: the last words, the code, how many."""
    noise = random.Random(1)
    said: list[str] = []
    sent = 0
    socket = await connect(f"ws{base.removeprefix('http')}/openai/v1/realtime?model=m")
    try:
        for _ in range(600):
            audio = base64.b64encode(noise.randbytes(9_600)).decode()
            await socket.send(f'{{"type":"input_audio_buffer.append","audio":"{audio}"}}')
            said.append(str(await asyncio.wait_for(socket.recv(), 20)))
            sent += 1
            await asyncio.sleep(0.002)
        await asyncio.sleep(0.5)
        await socket.close()
    except ConnectionClosed:
        with contextlib.suppress(ConnectionClosed):
            while True:
                said.append(str(await socket.recv()))  # what came before the close
    return said, socket.close_code, sent


@pytest.mark.skipif(not shutil.which("bash"), reason="limits the size of files with bash's ulimit")
@pytest.mark.parametrize("policy", ["end", pytest.param("pass", marks=pytest.mark.slow)])
async def test_a_full_disk(tmp_path: Path, policy: str) -> None:
    server = web.ServerRunner(web.Server(echo))
    await server.setup()
    await web.TCPSite(server, "127.0.0.1", 0).start()
    path = tmp_path / "tape.db"
    argv = [sys.executable, "-m", "recorder", "proxy", "--store", str(empty_store(path))]
    argv += ["--listen", "127.0.0.1:0", "--on-store-failure", policy]
    argv += ["--openai-url", f"http://127.0.0.1:{server.addresses[0][1]}"]
    limited = ["bash", "-c", f'ulimit -f {BLOCKS}; exec "$@"', "-", *argv]
    with subprocess.Popen(
        limited, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ
    ) as proxy:
        assert proxy.stdout
        base = (await asyncio.to_thread(proxy.stdout.readline)).split()[1]
        said, code, sent = await until_closed(base)
        proxy.terminate()
        _, errors = await asyncio.to_thread(proxy.communicate)
    await server.cleanup()
    assert "disk" in errors
    assert "Traceback" not in errors
    if policy == "end":
        assert code == 1011
        assert "recorder_store_failed" in said[-1]
    else:
        assert (code, sent) == (1000, 600)
    store = open_store(f"sqlite:///{path}", create=False, readonly=True)
    (row,) = store.sessions()
    assert row.status != "complete"
    assert verify(store, row).fault is None
    kept = [event for event in Recording(store, row.id).events() if event.kind == "ws.text"]
    assert 10 < len(kept) < 2 * sent
    store.close()
