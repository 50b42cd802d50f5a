"""`record pull` as a process, against the simulator behind sockets."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import wave
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest
from commandline import run

from recorder.clock import SystemClock
from recorder.events import Message
from recorder.heads import RequestHead
from recorder.pull.stored import exchanges
from recorder.recording import current
from recorder.store import open_store
from recorder.verify import verify
from replay.server import MachineServer
from replay.simulators.vapi import Options, VapiSimulator

KEY = "3f0c8d0e-0000-4000-8000-00000000000a"
CALLS = 24


class Counted(VapiSimulator):
    """Counts what it is asked, and tells when it has been asked `at` times."""

    def __init__(self, options: Options) -> None:
        super().__init__(7, SystemClock().wall_ns(), options)
        self.paths: list[str] = []
        self.at = 0
        self.reached = asyncio.Event()

    def receive(self, message: Message, now: int) -> None:
        self.paths.append(RequestHead.decode(message.body).path)
        if len(self.paths) == self.at:
            self.reached.set()
        super().receive(message, now)


class Service(NamedTuple):
    """The simulator and where it is reached."""

    machine: Counted
    url: str


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    machine = Counted(Options(history=CALLS, keys=frozenset({KEY}), faults={20: 0}))
    async with MachineServer(machine, SystemClock(), prefix="/vapi") as server:
        yield Service(machine, server.url)


async def start(url: str, store: Path, *words: str, **environ: str) -> asyncio.subprocess.Process:
    command = ["pull", "vapi", "--store", str(store), "--vapi-url", url, "--rate", "100000"]
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "recorder", *command, *words),
        env={**os.environ, "VAPI_API_KEY": KEY, **environ},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def pulled(url: str, store: Path, *words: str, **environ: str) -> tuple[int, str, str]:
    process = await start(url, store, *words, **environ)
    out, error = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), error.decode()


@pytest.mark.slow
async def test_killed_half_way_and_run_again(service: Service, tmp_path: Path) -> None:
    machine, url = service
    store = tmp_path / "tapes.db"
    machine.at = 40
    process = await start(url, store, "--no-recordings")
    await machine.reached.wait()
    process.send_signal(signal.SIGKILL)
    await process.wait()
    assert "/call" in machine.paths
    code, out, error = await pulled(url, store, "--no-recordings")
    assert (code, error) == (0, "")
    assert f"{CALLS} calls" in out
    with closing(open_store(str(store), create=False, readonly=True)) as found:
        rows = current(found, found.sessions(), SystemClock().wall_ns())
        assert {row.status for row in rows} == {"complete"}
        keys = Counter(row.external_id for row in rows)
        assert (len(keys), set(keys.values())) == (CALLS + 1, {1})
        for row in rows:
            assert verify(found, row).fault is None
            if row.external_id:
                paths = [each.request.path for each in exchanges(found, row.id)]
                assert Counter(paths)[f"/call/{row.external_id}"] == 1
                assert len(paths) == len(set(paths)) == 3


@pytest.mark.slow
async def test_pulled_recordings_can_be_listened_to(service: Service, tmp_path: Path) -> None:
    machine, url = service
    machine.at = 0
    store, out = tmp_path / "tapes.db", tmp_path / "call.wav"
    code, told, error = await pulled(url, store, "--since", "17m", "--trial", "week")
    assert (code, error) == (0, "")
    assert told.startswith("trial week: 2 calls (2 new, 0 changed, 0 unchanged), 2 recordings")
    again = await pulled(url, store, "--since", "17m", "--trial", "week")
    assert "(0 new, 0 changed, 2 unchanged), 0 recordings and 0 logs added" in again[1]
    listen = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "recorder", "audio", "last", "--store", str(store)),
        *("-o", str(out)),
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await listen.communicate()
    assert b"2 channels as fetched" in said
    with wave.open(str(out)) as found:
        assert (found.getnchannels(), found.getframerate()) == (2, 16_000)
        frames = found.readframes(found.getnframes())
    with closing(open_store(str(store), create=False, readonly=True)) as tapes:
        last = tapes.sessions()[-1].id
        data = b"".join(tapes.audio(last, one.number) for one in tapes.segments(last))
    assert frames == data
    written = b"".join(each.read_bytes() for each in tmp_path.glob("tapes.db*"))
    assert KEY.encode() not in written


@pytest.mark.parametrize(
    ("words", "key", "wanted"),
    [
        ((), "", "no key: put Vapi's private key into the environment as VAPI_API_KEY"),
        (("--key-env", "NO_SUCH_KEY"), KEY, "as NO_SUCH_KEY"),
        ((), "a\nb", "is no key"),
        (("--since", "yesterday"), KEY, "is no time"),
        (("--call", "../x"), KEY, "is no id"),
        (("--call", "x", "--since", "7d"), KEY, "leave --since and --assistant out"),
        (("--vapi-url", "localhost"), KEY, "--vapi-url is not a URL"),
        (("--rate", "0"), KEY, "is not in the range"),
    ],
)
def test_bad_input_is_one_line(
    words: tuple[str, ...],
    key: str,
    wanted: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("VAPI_API_KEY", key)
    ended = run(tmp_path / "tapes.db", "pull", "vapi", *words)
    assert (ended.code, ended.out) == (2, "")
    assert wanted in ended.error
    assert not (tmp_path / "tapes.db").exists()


async def test_a_refusal_is_one_line(service: Service, tmp_path: Path) -> None:
    store = tmp_path / "tapes.db"
    code, out, error = await pulled(service.url, store, VAPI_API_KEY="wrong-key-12345")
    assert (code, out, len(error.splitlines())) == (2, "", 1)
    assert "GET /assistant is answered with 401 (Invalid Key" in error
    assert "wrong-key" not in error
