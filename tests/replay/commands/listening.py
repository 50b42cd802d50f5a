"""A `replay` command that goes on: in a thread of this process, or as a process of its own."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import redirect_stdout, suppress
from threading import Thread
from typing import Self

import pytest

from replay.cli import cli

_LIMIT_S = 20.0


class _Output(io.StringIO):
    """What a command prints; `first` is its first line."""

    def __init__(self) -> None:
        super().__init__()
        self.first: Future[str] = Future()

    def write(self, text: str) -> int:
        written = super().write(text)
        if not self.first.done() and "\n" in self.getvalue():
            self.first.set_result(self.getvalue().partition("\n")[0])
        return written


class Command:
    """A command in a thread, which costs no start of a process; one at a time, because it prints to
    `sys.stdout`. It takes no signals (they come to the main thread): `stop` ends it instead."""

    def __init__(self, *words: str) -> None:
        self.first = ""  # its first line
        self._words, self._out = words, _Output()
        self._how: Future[int] = Future()
        self._thread = Thread(target=self._run, daemon=True)
        self._signal: Callable[[], object] | None = None
        self._patch = pytest.MonkeyPatch()

    async def __aenter__(self) -> Self:
        name = self._words[0]
        self._patch.setattr(f"replay.commands.{name}.stop_signal", self._stop_signal)
        self._thread.start()
        try:
            self.first = await asyncio.wait_for(asyncio.wrap_future(self._out.first), _LIMIT_S)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    @property
    def url(self) -> str:
        """Where it listens."""
        return _url(self.first)

    async def __aexit__(self, *_: object) -> None:
        self._end()
        await asyncio.to_thread(self._thread.join, _LIMIT_S)
        self._patch.undo()
        assert not self._thread.is_alive()

    async def end(self) -> tuple[int, str]:
        """Its exit code and what it has printed, when it has come to its end."""
        code = await asyncio.wait_for(asyncio.wrap_future(self._how), _LIMIT_S)
        return code, self._out.getvalue()

    async def stop(self) -> tuple[int, str]:
        """End it as a signal does."""
        self._end()
        return await self.end()

    def _stop_signal(self) -> asyncio.Event:
        stopped, loop = asyncio.Event(), asyncio.get_running_loop()
        self._signal = lambda: loop.call_soon_threadsafe(stopped.set)
        return stopped

    def _end(self) -> None:
        with suppress(RuntimeError):  # its loop is closed: it has ended by itself
            if self._signal:
                self._signal()

    def _run(self) -> None:
        try:
            with redirect_stdout(self._out):
                code = _exit_code(self._words)
        except BaseException as error:
            for future in (self._how, self._out.first):
                if not future.done():
                    future.set_exception(error)
        else:
            self._how.set_result(code)
            if not self._out.first.done():
                self._out.first.set_result("")  # it has printed nothing


def _exit_code(words: tuple[str, ...]) -> int:
    try:
        cli.main(list(words), prog_name="replay", standalone_mode=False)
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def _url(line: str) -> str:
    word, _, url = line.partition(" ")
    assert word == "ready", line
    assert url.startswith("http://127.0.0.1:")
    return url


class Process:
    """A command as a process of its own, ended by SIGKILL if it is still there after the test."""

    def __init__(self, *words: str) -> None:
        self.url = ""
        self._words = words

    async def __aenter__(self) -> Self:
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "replay", *self._words, stdout=asyncio.subprocess.PIPE
        )
        assert self.process.stdout
        line = await asyncio.wait_for(self.process.stdout.readline(), _LIMIT_S)
        self.url = _url(line.decode().rstrip("\n"))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    async def end(self) -> tuple[int, str]:
        """Its exit code and what it has printed, when it has come to its end."""
        output, _ = await asyncio.wait_for(self.process.communicate(), _LIMIT_S)
        return self.process.returncode or 0, output.decode()
