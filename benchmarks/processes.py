"""Contenders as processes: started, pointed at, ended, and what they used."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple


class Used(NamedTuple):
    """CPU seconds (user and system, all threads) and largest resident size in bytes."""

    cpu_s: float
    peak: int


@dataclass
class Contender:
    """A running relay: where to dial it, and how to end it."""

    name: str
    process: subprocess.Popen[str]
    base: str
    store: Path | None = None

    def stop(self) -> Used:
        """Ask it to end, wait until it has (everything stored), and say what it used."""
        self.process.send_signal(signal.SIGTERM)
        _, status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        return Used(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)

    def resident(self) -> int:
        """Resident bytes now, of the process and its children."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return sum(map(_resident, (str(pid), *children)))


def _resident(pid: str) -> int:
    pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def started(name: str, argv: list[str], prefix: str = "", store: Path | None = None) -> Contender:
    """Start a program that prints `ready URL`; `prefix` is where to dial below that."""
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    line = process.stdout.readline()
    if not line.startswith("ready "):
        raise SystemExit(f"{name} did not start: {line!r}")
    base = "ws" + line.split()[1].removeprefix("http") + prefix
    return Contender(name, process, base, store)


def recorder(upstream: int, folder: Path) -> Contender:
    """This project: `record proxy` into a new SQLite file."""
    store = folder / "tape.db"
    argv = [sys.executable, "-m", "recorder", "proxy", "--store", f"sqlite:///{store}"]
    argv += ["--listen", "127.0.0.1:0", "--openai-url", f"http://127.0.0.1:{upstream}"]
    return started("recorder", argv, "/openai", store)


def websockets_relay(upstream: int, folder: Path) -> Contender:
    """A relay that records nothing."""
    module = "benchmarks.contenders.relay"
    return started("websockets", [sys.executable, "-m", module, f"ws://127.0.0.1:{upstream}"])


def orm_recorder(upstream: int, folder: Path) -> Contender:
    """A relay that commits one ORM object a message."""
    module = "benchmarks.contenders.relay"
    store = folder / "orm.db"
    argv = [sys.executable, "-m", module, f"ws://127.0.0.1:{upstream}", str(store)]
    return started("orm", argv, store=store)


def mitmproxy(upstream: int, folder: Path) -> Contender:
    """mitmdump in reverse mode, writing a flow file. MITMDUMP names the program."""
    program = os.environ.get("MITMDUMP") or shutil.which("mitmdump")
    if not program:
        raise FileNotFoundError("mitmdump")
    port = _free_port()
    flows = folder / "flows"
    argv = [program, "-q", "--mode", f"reverse:http://127.0.0.1:{upstream}", "-w", str(flows)]
    argv += ["--listen-host", "127.0.0.1", "--listen-port", str(port)]
    argv += ["--set", f"confdir={folder / 'mitm'}"]
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, text=True)
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return Contender("mitmproxy", process, f"ws://127.0.0.1:{port}", flows)
        time.sleep(0.05)
    raise SystemExit("mitmdump did not start")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
