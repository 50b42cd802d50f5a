"""The real commands as processes (or here, where another test has the process), and a studio of
them: simulator, proxy, store, and wiretaps."""

from __future__ import annotations

import asyncio
import io
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

import click
from click.testing import CliRunner
from clients import CLIENTS, Client
from conversation import SPOKEN, Json
from new_stores import empty_store
from wiretap import Call, Frame, Wiretap

from recorder.cli import cli as record_cli
from replay.cli import cli as replay_cli
from tests.replay.commands.listening import Command

Program = Literal["recorder", "replay"]
PACE_S = 0.01
_READY_S = 20.0
_END_S = 30.0


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


def _environment() -> dict[str, str]:
    """This one, without what would choose options or be taken for a secret."""
    words = ("RECORD", "REPLAY", "OPENAI_")
    return {name: each for name, each in os.environ.items() if not name.startswith(words)}


def run(program: Program, *words: str, preexec: Callable[[], None] | None = None) -> Ended:
    """Run a command to its end."""
    done = subprocess.run(
        [sys.executable, "-m", program, *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        preexec_fn=preexec,
        timeout=_END_S,
        env=_environment(),
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def read(program: Program, *words: str) -> str:
    """What a command that only reads prints, without the cost of another process."""
    group: click.Group = record_cli if program == "recorder" else replay_cli
    result = CliRunner().invoke(group, list(words), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


class Service:
    """A command that listens: `url` is from its first line."""

    def __init__(self, program: Program, *words: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", program, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=_environment(),
        )
        self._said: dict[str, list[str]] = {"out": [], "err": []}
        self._first: queue.Queue[str] = queue.Queue()
        assert self._process.stdout
        assert self._process.stderr
        self._readers = [
            threading.Thread(target=self._read, args=each, daemon=True)
            for each in (("out", self._process.stdout), ("err", self._process.stderr))
        ]
        for reader in self._readers:
            reader.start()
        self.url = self._ready()

    def _read(self, name: str, stream: Any) -> None:
        for line in stream:
            self._said[name].append(line)
            if name == "out":
                self._first.put(line)
        if name == "out":
            self._first.put("")

    def _ready(self) -> str:
        try:
            word, _, url = self._first.get(timeout=_READY_S).strip().partition(" ")
        except queue.Empty:
            word = "nothing"
        if word != "ready":
            self._process.kill()
            raise AssertionError(f"not ready: {self.ended()}")
        return url

    def ended(self, timeout_s: float = _END_S) -> Ended:
        """Wait for its own end."""
        try:
            code = self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        for reader in self._readers:
            reader.join(5)
        return Ended(code, "".join(self._said["out"]), "".join(self._said["err"]))

    def stop(self) -> Ended:
        """SIGTERM, and its end."""
        self._process.send_signal(signal.SIGTERM)
        return self.ended()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self.stop()


class Here:
    """A `replay` command that listens, as `Service`, in a thread of this process; one at a time."""

    def __init__(self, *words: str) -> None:
        self._command = Command(*words)
        self._errors = io.StringIO()
        self._stack = ExitStack()

    @property
    def url(self) -> str:
        """Where it listens."""
        return self._command.url

    def ended(self) -> Ended:
        """Wait for its own end."""
        code, out = asyncio.run(self._command.end())
        return Ended(code, out, self._errors.getvalue())

    def __enter__(self) -> Self:
        self._stack.enter_context(redirect_stderr(self._errors))
        try:
            asyncio.run(_begin(self._command))
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with self._stack:
            asyncio.run(self._command.__aexit__())


async def _begin(command: Command) -> None:
    await command.__aenter__()


@dataclass
class Taped:
    """A conversation that was recorded: its session, what the client saw, and the wire twice."""

    session: str
    seen: list[Json]
    near: Call  # between client and proxy
    far: Call  # between proxy and provider


def tape_frames(store: str, session: str, sender: str) -> list[Frame]:
    """What one side of a tape said, as `record show --raw --json` gives it."""
    lines = read("recorder", "show", session, "--raw", "--json", "--store", store).splitlines()
    events = [json.loads(line) for line in lines]
    return [
        Frame(event["kind"], event["text"].encode())
        for event in events
        if event["sender"] == sender and event["kind"] in ("ws.text", "ws.binary")
    ]


class Studio:
    """client → wiretap → `record proxy` → wiretap → `replay simulate openai`."""

    def __init__(self, folder: Path, simulator: str | None = None) -> None:
        """`simulator` is the URL of one that runs; without it, there is an own one."""
        self.folder, self._provider = folder, simulator
        self.store = f"sqlite:///{empty_store(folder / 'tapes.db')}"
        self._tapes: dict[str, Taped] = {}
        self._services: list[Service] = []
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        enter = self._stack.enter_context
        if self._provider is None:
            quick = ("--latency-ms", "20", "--jitter-ms", "10", "--pace", "40")
            words = ("openai", "--listen", "127.0.0.1:0", "--seed", "7", "--transcript", SPOKEN)
            self._services.append(enter(Service("replay", "simulate", *words, *quick)))
            self._provider = self._services[0].url
        self.far = enter(Wiretap(self._provider))
        tape = ("--store", self.store, "--trial", "e2e", "--listen", "127.0.0.1:0")
        self.proxy = enter(Service("recorder", "proxy", *tape, "--openai-url", self.far.url))
        self.near = enter(Wiretap(self.proxy.url))
        return self

    def __exit__(self, *_: object) -> None:
        endings = [service.stop() for service in (self.proxy, *self._services)]
        self._stack.close()
        assert not any(ending.code for ending in endings), endings

    @property
    def provider(self) -> str:
        """Where the simulator is."""
        assert self._provider
        return self._provider

    @property
    def base(self) -> str:
        """What stands for https://api.openai.com."""
        return f"{self.near.url}/openai"

    def sessions(self) -> list[Json]:
        found: list[Json] = json.loads(
            read("recorder", "sessions", "--json", "--store", self.store)
        )
        return found

    def tape(self, name: str, client: Client | None = None, pace_s: float = PACE_S) -> Taped:
        """The conversation of a client, recorded when it is first asked for."""
        if name not in self._tapes:
            self._tapes[name] = self._record(client or CLIENTS[name], pace_s)
        return self._tapes[name]

    def _record(self, client: Client, pace_s: float) -> Taped:
        before = len(self.near.sockets)
        seen = client(self.base, pace_s)
        assert len(self.near.sockets) == before + 1
        near, far = self.near.sockets[-1], self.far.sockets[-1]
        near.frames("client")  # waits for the end of the connection
        return Taped(self._ended_session(seen[0]["session"]["id"]), seen, near, far)

    def _ended_session(self, external_id: str) -> str:
        """The session that the provider calls so, once all of it is stored."""
        limit = time.monotonic() + 10
        while time.monotonic() < limit:
            for row in self.sessions():
                if row["external_id"] == external_id and row["status"] == "complete":
                    return str(row["id"])
            time.sleep(0.05)
        raise AssertionError(f"no complete session {external_id}: {self.sessions()}")


def serve(store: str, session: str, speed: str, *words: str) -> Service:
    """`replay serve` on a free port."""
    return Service("replay", "serve", session, "--store", store, "--speed", speed, *words)
