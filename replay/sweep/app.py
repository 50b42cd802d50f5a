"""An application's process: in a group of its own, its output at hand, and ended for certain."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import signal
from collections import deque
from collections.abc import Mapping, Sequence

from recorder.errors import RecorderError

_TAIL_LINES = 20
_WIDTH = 160
_TERM_S = 2.0  # what a process gets to end itself when it is told to
_READ_S = 2.0  # how long output is waited for that a process has left in the pipe
_PIECE = 65_536


def command_words(command: str) -> list[str]:
    """The words of a command; RecorderError if it cannot be run."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise RecorderError(f"--app {command!r}: {error}; close the quote") from None
    if not words:
        raise RecorderError("--app is empty: give the command that runs the application")
    if shutil.which(words[0]) is None:
        raise RecorderError(
            f"--app: there is no program {words[0]!r}; give its path, or install it"
        )
    return words


class App:
    """A running application. `ended` is set when its process has ended."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.ended = asyncio.Event()
        self.stopped_by = ""  # the signal that ended it, if it was ended from here
        self._process = process
        self._lines: deque[str] = deque(maxlen=_TAIL_LINES)
        self._reading = asyncio.create_task(self._read())
        self._waiting = asyncio.create_task(self._wait())

    @classmethod
    async def start(cls, words: Sequence[str], environ: Mapping[str, str]) -> App:
        """Run a command; RecorderError if it cannot be started."""
        try:
            process = await asyncio.create_subprocess_exec(
                *words,
                env=environ,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise RecorderError(f"--app: cannot run {words[0]!r} ({error.strerror})") from error
        return cls(process)

    @property
    def code(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        return self._process.returncode

    @property
    def tail(self) -> list[str]:
        """The last lines of its output, each cut."""
        return [line if len(line) <= _WIDTH else f"{line[:_WIDTH]}…" for line in self._lines]

    async def wait(self, limit_s: float) -> bool:
        """Wait for its end; False if it still runs after `limit_s`."""
        try:
            async with asyncio.timeout(limit_s):
                await self.ended.wait()
        except TimeoutError:
            return False
        return True

    async def stop(self) -> None:
        """End it, by SIGTERM and then by SIGKILL, and whatever is left of its group."""
        if not self.ended.is_set():
            self.stopped_by = "SIGTERM"
            self._signal(signal.SIGTERM)
            if not await self.wait(_TERM_S):
                self.stopped_by = "SIGKILL"
        self._signal(signal.SIGKILL)
        await self._waiting
        await asyncio.wait([self._reading], timeout=_READ_S)
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.killpg(self._process.pid, number)
        except (ProcessLookupError, PermissionError):
            return  # the group is gone

    async def _wait(self) -> None:
        await self._process.wait()
        self.ended.set()

    async def _read(self) -> None:
        assert self._process.stdout
        rest = ""
        while piece := await self._process.stdout.read(_PIECE):
            *whole, rest = (rest + piece.decode(errors="replace")).split("\n")
            self._lines.extend(line.rstrip() for line in whole)
            rest = rest[-_PIECE:]
        if rest:
            self._lines.append(rest)
