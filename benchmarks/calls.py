"""What the recorder adds to Vapi's calls: frames of audio both ways, and webhooks.

    python -m benchmarks.calls [--calls 50] [--seconds 10]

An open loop: every frame (20 ms of PCM16 at 16 kHz) and every webhook is measured from the moment
at which it was due, with the recorder in between and without it, in turns.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import struct
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import aiohttp
from aiohttp import web
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from benchmarks.peers import serve
from benchmarks.processes import Contender, started

_FRAME = 640
_STEP_NS = 20_000_000
_STAMP = struct.Struct("<q")
_HOOKS_PER_SECOND = 50


class Result(NamedTuple):
    """Lateness in ns, in order of size."""

    frames: list[int]
    hooks: list[int]


class _End(WSListener):
    """One end of a call's socket."""

    def __init__(self) -> None:
        self.late_ns: list[int] = []
        self.transport: WSTransport | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.BINARY:
            due = _STAMP.unpack_from(frame.get_payload_as_bytes())[0]
            self.late_ns.append(time.monotonic_ns() - due)
        elif frame.msg_type is WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code(), frame.get_close_message())
            transport.disconnect()


async def _stream(end: _End, begin_ns: int, count: int) -> None:
    noise = os.urandom(_FRAME - _STAMP.size)
    assert end.transport
    for number in range(count):
        due = begin_ns + number * _STEP_NS
        await asyncio.sleep(max(0.0, (due - time.monotonic_ns()) / 1e9))
        end.transport.send(WSMsgType.BINARY, _STAMP.pack(due) + noise)


class _Team:
    """The application's server: notes how late webhooks come, and answers at once."""

    def __init__(self) -> None:
        self.late_ns: list[int] = []

    async def handle(self, request: web.BaseRequest) -> web.Response:
        message = json.loads(await request.read())["message"]
        self.late_ns.append(time.monotonic_ns() - message["due"])
        return web.json_response({})


@asynccontextmanager
async def _team() -> AsyncIterator[tuple[_Team, str]]:
    team = _Team()
    runner = web.ServerRunner(web.Server(team.handle))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield team, f"http://127.0.0.1:{runner.addresses[0][1]}/hooks"
    await runner.cleanup()


async def _deliver(url: str, calls: list[str], begin_ns: int, seconds: int) -> None:
    """Webhooks of all calls in turn, each at its moment."""
    async with aiohttp.ClientSession() as session:
        posts = []
        for number in range(seconds * _HOOKS_PER_SECOND):
            due = begin_ns + number * 1_000_000_000 // _HOOKS_PER_SECOND
            await asyncio.sleep(max(0.0, (due - time.monotonic_ns()) / 1e9))
            call = {"id": calls[number % len(calls)]}
            message = {"type": "speech-update", "due": due, "call": call, "number": number}
            posts.append(asyncio.create_task(_post(session, url, {"message": message})))
        await asyncio.gather(*posts)


async def _post(session: aiohttp.ClientSession, url: str, body: object) -> None:
    async with session.post(url, json=body) as answer:
        await answer.read()


def _recorder(upstream: int, hooks: str, folder: Path) -> Contender:
    store = folder / "calls.db"
    argv = [sys.executable, "-m", "recorder", "proxy", "--store", f"sqlite:///{store}"]
    argv += ["--listen", "127.0.0.1:0", "--webhook-to", hooks]
    argv += ["--vapi-url", f"http://127.0.0.1:{upstream}"]
    return started("recorder", argv, "", store)


async def measure(calls: int, seconds: int, *, recorded: bool) -> Result:
    """All calls at once; nothing may be lost."""
    ends: list[_End] = []

    def provider() -> _End:
        ends.append(_End())
        return ends[-1]

    names = [str(uuid.uuid4()) for _ in range(calls)]
    count = seconds * 1_000_000_000 // _STEP_NS
    with tempfile.TemporaryDirectory() as name:
        server, port = await serve(provider)
        async with _team() as (team, hooks):
            contender = _recorder(port, hooks, Path(name)) if recorded else None
            base = f"{contender.base}/vapi" if contender else f"ws://127.0.0.1:{port}"
            target = f"http{contender.base[2:]}/webhooks/vapi" if contender else hooks
            for call in names:
                mine = _End()
                await ws_connect(lambda end=mine: end, f"{base}/{call}/transport")  # type: ignore[misc]
                ends.append(mine)
            await asyncio.sleep(0.3)
            begin = time.monotonic_ns() + 50_000_000
            streams = [
                _stream(end, begin + number * 397_000, count) for number, end in enumerate(ends)
            ]
            await asyncio.gather(*streams, _deliver(target, names, begin, seconds))
            await asyncio.sleep(1)
            for end in ends:
                if end.transport:
                    end.transport.disconnect()
            if contender:
                await asyncio.to_thread(contender.stop)
        server.close()
    lost = 2 * calls * count - sum(len(end.late_ns) for end in ends)
    if lost:
        raise SystemExit(f"{lost} frames were lost")
    warm = [late for end in ends for late in end.late_ns[50:]]
    return Result(sorted(warm), sorted(team.late_ns[25:]))


def _at(late: list[int], share: float) -> float:
    return late[min(int(len(late) * share), len(late) - 1)] / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=50)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--pairs", type=int, default=3)
    asked = parser.parse_args()
    rows: dict[bool, list[Result]] = {False: [], True: []}
    for _ in range(asked.pairs):
        for recorded, results in rows.items():
            found = asyncio.run(measure(asked.calls, asked.seconds, recorded=recorded))
            results.append(found)
    print(f"{asked.calls} calls, 50 frames/s each way, {_HOOKS_PER_SECOND} webhooks/s; ms late")
    print(f"{'':10}{'frames p50':>12}{'p99':>8}{'webhooks p50':>14}{'p99':>8}")
    for recorded, results in rows.items():
        cells = [
            statistics.median(_at(getattr(found, kind), share) for found in results)
            for kind in ("frames", "hooks")
            for share in (0.5, 0.99)
        ]
        name = "recorder" if recorded else "direct"
        print(f"{name:10}{cells[0]:12.2f}{cells[1]:8.2f}{cells[2]:14.2f}{cells[3]:8.2f}")


if __name__ == "__main__":
    main()
