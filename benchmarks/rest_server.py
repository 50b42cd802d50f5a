"""Our side of `rest_replay`: a tape of REST exchanges, and what replays it."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from recorder.capture.log import ChannelLog
from recorder.capture.writer import Writer
from recorder.clock import SystemClock
from recorder.heads import RequestHead, ResponseHead
from recorder.providers import provider
from recorder.recording import Recording
from recorder.redact import Secrets
from recorder.store import open_store
from replay.match.rulebook import Rulebook
from replay.player import Player
from replay.script import read_script
from replay.server import MachineServer

HEAD = (("Content-Type", "application/json"),)


class Ask(NamedTuple):
    """A request and its answer."""

    method: str
    path: str
    body: bytes
    answer: bytes


def tape(asks: Sequence[Ask], file: Path) -> None:
    """Record exchanges as the one session of a new store."""
    with closing(open_store(f"sqlite:///{file}", create=True)) as store:
        writer = Writer(store, SystemClock(), Secrets(b"", ()))
        writer.start()
        session = writer.open("vapi", "benchmark")
        for ask in asks:
            lines = ChannelLog(session, "http", ask.path)
            name = f"{ask.method} {ask.path}"
            head = RequestHead(ask.method, ask.path, "", HEAD)
            lines.add("client", "http.request", name, head.encode())
            lines.body("client", name, ask.body)
            lines.add("provider", "http.response", "200", ResponseHead(200, "OK", HEAD).encode())
            lines.body("provider", name, ask.answer)
            lines.end()
        session.end()
        writer.close()


def machine(file: Path) -> Player:
    """A player of the session of a store, at the speed of the client."""
    vapi = provider("vapi")
    book = Rulebook(vapi.RULES)
    with closing(open_store(f"sqlite:///{file}", create=False, readonly=True)) as store:
        (row,) = store.sessions()
        script = read_script(Recording(store, row.id).events(), vapi, book)
    return Player(script, vapi, book, speed=None)


@contextmanager
def served(file: Path) -> Iterator[str]:
    """The URL of a server of the tape, in a process of its own."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(file, there))
    process.start()
    try:
        yield here.recv()
    finally:
        here.send("over")
        process.join(10)


def _serve(file: Path, parent: Connection) -> None:
    asyncio.run(_until_told(machine(file), parent))


async def _until_told(player: Player, parent: Connection) -> None:
    async with MachineServer(player, SystemClock(), prefix="/vapi") as server:
        parent.send(server.url)
        await asyncio.to_thread(parent.recv)
