"""A small application for sweeps, and tapes of it."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from tapes import WALL_NS, Script, Take, record, session_object, tone

from recorder.export import export_session
from recorder.store import open_store
from recorder.store.memory import MemoryStore

APP = r"""
import json, os, sys, time
from socket import create_connection

class connect:  # a WebSocket of the least: a library takes longer to import than all else here
    def __init__(self, url):
        host, path = url.removeprefix("ws://").split("/", 1)
        name, port = host.split(":")
        self.to = create_connection((name, int(port)), 10)
        self.file = self.to.makefile("rb")
        head = [f"GET /{path} HTTP/1.1", f"Host: {host}", "Connection: Upgrade"]
        head += ["Upgrade: websocket", "Sec-WebSocket-Version: 13"]
        head += ["Sec-WebSocket-Key: " + "A" * 22 + "==", "", ""]
        self.to.sendall("\r\n".join(head).encode())
        assert b" 101 " in self.file.readline()
        while self.file.readline().strip():
            pass

    def recv(self):
        first, size = self.file.read(2)
        size = int.from_bytes(self.file.read({126: 2, 127: 8}[size])) if size > 125 else size
        assert first == 0x81, "no text"
        return self.file.read(size)

    def send(self, text, first=0x81):
        size = [0x80 | len(text)] if len(text) < 126 else [0xFE, *len(text).to_bytes(2)]
        self.to.sendall(bytes([first, *size, 0, 0, 0, 0]) + text)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.send((1000).to_bytes(2), 0x88)
        self.file.read()

url = "ws" + os.environ["OPENAI_BASE_URL"].removeprefix("http") + "/realtime?model=gpt-realtime"
with connect(url) as socket:
    socket.recv()
    print("connected for", os.environ["REPLAY_TAPE"], flush=True)
    update = {"type": "session.update", "session": {"instructions": "Short."}}
    socket.send(json.dumps(update).encode())
    socket.recv()
"""
_S = 1_000_000_000


def greeting(instructions: str = "Short.", audio_ms: float = 0) -> list[Take]:
    """What `APP` and the provider say to each other, where the instructions are the same."""
    script = Script().open()
    script.wait(5).provider("session.created", session=session_object())
    script.wait(5).client("session.update", session={"instructions": instructions})
    script.wait(30).provider("session.updated", session=session_object(instructions="Short."))
    if audio_ms:
        script.speak("item_a", tone(audio_ms))
    script.wait(20).close()
    return script.wait(2).close(sender="provider").takes


def keep(folder: Path, takes: Mapping[str, list[Take]], **facts: Any) -> Path:
    """Export conversations as tapes, by name."""
    for number, (name, each) in enumerate(takes.items()):
        store = MemoryStore()
        wall_ns = facts.get("wall_ns", WALL_NS) + number * _S
        session = record(store, each, **{**facts, "wall_ns": wall_ns})
        row = store.session(session)
        assert row
        export_session(store, row, folder / name, row.wall_ns)
    return folder


def database(path: Path, trials: Mapping[str, int]) -> str:
    """A store with greetings, so many of each trial."""
    with closing(open_store(str(path), create=True)) as store:
        for trial, count in trials.items():
            for number in range(count):
                record(store, greeting(), trial=trial, wall_ns=WALL_NS + number * _S)
    return str(path)


def app(folder: Path, *more: str, text: str = APP) -> str:
    """The command of an application, with `more` lines at its end."""
    path = folder / "app.py"
    path.write_text("\n".join((text, *more)) + "\n")
    return shlex.join([sys.executable, str(path)])
