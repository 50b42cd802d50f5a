"""Runs the commands of the demo as a user would, and tells how long each step took."""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from recorder.clock import Clock
from recorder.errors import CheckFailed, RecorderError

LIMIT_S: Final = 60.0
"""How long a step may take."""


class Shell:
    """Commands whose tapes are in a store of `folder`; `say` prints a line."""

    def __init__(self, folder: Path, clock: Clock, say: Callable[[str], None]) -> None:
        self.store = f"sqlite:///{folder / 'conversations.db'}"
        self.took: list[tuple[str, float]] = []
        self.say = say
        self._clock = clock
        self._servers: list[subprocess.Popen[str]] = []

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """What happens inside is a step of this name."""
        self.say(f"\n== {name}")
        begun = self._clock.now_ns()
        yield
        self.took.append((name, (self._clock.now_ns() - begun) / 1e9))

    def command(self, *words: str, quiet: bool = False) -> str:
        """Run a command; what it printed, which is shown unless `quiet`. CheckFailed if it does not
        end well, RecorderError if what it was given is wrong; it has said why."""
        done = subprocess.run(
            self._argv(*words), stdout=subprocess.PIPE, text=True, timeout=LIMIT_S, check=False
        )
        if not quiet:
            self.say(done.stdout.rstrip())
        if done.returncode:
            kind = RecorderError if done.returncode == RecorderError.exit_code else CheckFailed
            raise kind(f"`{shlex.join(words)}` ended with exit code {done.returncode}; see above")
        return done.stdout

    def server(self, *words: str) -> tuple[subprocess.Popen[str], str]:
        """Start a command that listens, and the URL that it tells; CheckFailed if it does not."""
        server = subprocess.Popen(self._argv(*words), stdout=subprocess.PIPE, text=True)
        self._servers.append(server)
        assert server.stdout
        line = server.stdout.readline()
        if not line.startswith("ready "):
            raise CheckFailed("a server did not start; see its message above")
        return server, line.split()[1]

    def kill(self) -> None:
        """End the servers that still run: something failed before it was their turn to stop."""
        for server in self._servers:
            if server.poll() is None:
                server.kill()
                server.communicate()

    def _argv(self, *words: str) -> list[str]:
        program, command, *rest = words
        store = [] if command == "simulate" else ["--store", self.store]
        self.say("$ " + shlex.join([program, command, *store, *rest]))
        package = "recorder" if program == "record" else "replay"
        return [sys.executable, "-m", package, command, *store, *rest]


def stop(server: subprocess.Popen[str]) -> None:
    """End a server as a user would; CheckFailed if it does not end well."""
    server.send_signal(signal.SIGTERM)
    server.communicate(timeout=LIMIT_S)
    if server.returncode:
        raise CheckFailed(f"a server ended with exit code {server.returncode}")
