"""A project with tapes and tests, run by real pytest processes, and a provider to record from."""

from __future__ import annotations

import asyncio
import os
import re
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from tapes import WALL_NS, Script, Take, record, session_object

from recorder.clock import SystemClock
from recorder.export import export_session
from recorder.store.memory import MemoryStore
from replay.server import MachineServer
from replay.simulators.openai import OpenAISimulator, Options

INI = """
[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
addopts = -p no:cacheprovider -p no:hypothesispytest -p no:anyio
"""
HEAD = '''
import asyncio, json, os, socket, subprocess, sys, threading, time
import pytest
from websockets.sync.client import connect
import websockets

HEADERS = {"Authorization": "Bearer sk-a-key-of-the-plugin-tests"}
PATH = "/realtime?model=gpt-realtime"

def update(text):
    session = {"type": "realtime", "instructions": text}
    return json.dumps({"type": "session.update", "session": session})

def socket_url(base):
    return "ws" + (base or os.environ["OPENAI_BASE_URL"]).removeprefix("http") + PATH

def talk(base=None, text="Short."):
    """What is on the tapes."""
    with connect(socket_url(base), additional_headers=HEADERS) as ws:
        ws.recv(10)
        ws.send(update(text))
        return json.loads(ws.recv(10))["type"]

async def atalk(base=None, text="Short."):
    async with websockets.connect(socket_url(base), additional_headers=HEADERS) as ws:
        await ws.recv()
        await ws.send(update(text))
        return json.loads(await ws.recv())["type"]
'''


def greeting(instructions: str = "Short.") -> list[Take]:
    """What `talk` says and hears."""
    script = Script().open()
    script.wait(5).provider("session.created", session=session_object())
    session = {"type": "realtime", "instructions": instructions}
    script.wait(5).client("session.update", session=session)
    script.wait(30).provider("session.updated", session=session_object(instructions="Short."))
    script.wait(20).close()
    return script.wait(2).close(sender="provider").takes


def keep(folder: Path, takes: list[Take], wall_ns: int = WALL_NS, provider: str = "openai") -> None:
    """Export a conversation as a tape."""
    store = MemoryStore()
    session = record(store, takes, wall_ns=wall_ns, provider=provider)
    row = store.session(session)
    assert row
    export_session(store, row, folder, row.wall_ns)


class Ran(NamedTuple):
    """How a run of pytest ended, and what became of each test: `PASSED`, `ERROR`, ….
    A test that passed and then failed at its end has both."""

    code: int
    out: str
    became: Mapping[str, list[str]]

    def section(self, title: str) -> str:
        """What stands beneath a headline, up to the next."""
        found = re.search(rf"^_+ {re.escape(title)} _+$(.*?)(?=^[_=]{{4}})", self.out, re.S | re.M)
        assert found, f"no section {title!r} in\n{self.out}"
        return found[1]


class World:
    """A project in the folder of a `pytester`, with the tape `good`."""

    def __init__(self, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pytester, self.folder = pytester, pytester.path
        self.tapes = self.folder / "tests" / "tapes"
        for name in [name for name in os.environ if name.startswith(("REPLAY_", "RECORD"))]:
            monkeypatch.delenv(name)
        for name in ("CI", "PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER", "OPENAI_BASE_URL"):
            monkeypatch.delenv(name, raising=False)
        pytester.makefile(".ini", pytest=INI)
        keep(self.tapes / "good", greeting())

    def write(self, text: str, name: str = "test_it") -> None:
        path = self.folder / "tests" / f"{name}.py"
        path.write_text(HEAD + text)

    def run(self, *words: str) -> Ran:
        """Run pytest as a process of its own."""
        return _ran(self.pytester.runpytest_subprocess(*words, "-rA", "-v", timeout=60))

    def run_here(self, *words: str) -> Ran:
        """Run pytest in this process, which is quicker."""
        return _ran(self.pytester.runpytest_inprocess(*words, "-rA", "-v"))


def _ran(result: pytest.RunResult) -> Ran:
    out = "\n".join((*result.outlines, *result.errlines))
    became: dict[str, list[str]] = {}
    for word, name in re.findall(r"^(PASSED|FAILED|ERROR|SKIPPED|XFAIL) .*?::(\w+)", out, re.M):
        became.setdefault(name, []).append(word)
    return Ran(int(result.ret), out, became)


@contextmanager
def provider() -> Iterator[str]:
    """The simulated service in a thread: the URL that stands for https://api.openai.com."""
    ready: Future[tuple[str, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        machine = OpenAISimulator(1, WALL_NS, Options(latency_ms=0, jitter_ms=0))
        async with MachineServer(machine, SystemClock(), prefix="/openai") as server:
            stop = asyncio.Event()
            ready.set_result((f"{server.url}/openai", asyncio.get_running_loop(), stop))
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    url, loop, stop = ready.result(20)
    yield url
    loop.call_soon_threadsafe(stop.set)
    thread.join(10)
