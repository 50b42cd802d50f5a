"""Read models made beside a recording: in a child process of lower priority, one at a time.

Nothing that goes wrong here reaches the recording, and nothing waits for it. What is missed is
made when it is first read.
"""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from recorder.errors import RecorderError

if TYPE_CHECKING:
    from recorder.capture.process import WriterProcess

STORE = "RECORDER_STORE"
"""The variable that tells the child its store: a command line could be read by other users."""


@asynccontextmanager
async def deriving(writer: WriterProcess) -> AsyncIterator[None]:
    """Make read models whenever a session has ended; at the end a running child is stopped."""
    task = asyncio.create_task(_watch(writer))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def derive(store_url: str) -> None:
    """Make the read models of all sessions that need it; the child tells what fails."""
    try:
        child = await asyncio.create_subprocess_exec(
            *_command(),
            env=_environment(store_url),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            start_new_session=True,  # the terminal's Ctrl-C is for the proxy
        )
    except OSError as error:
        _warn(error)
        return
    try:
        code = await child.wait()
    except asyncio.CancelledError:
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()
        raise
    if code:
        logging.warning("making read models ended with code %s: run `record rebuild`", code)


def leave(store_url: str) -> None:
    """As `derive`, by a child that is left to itself: for a program that ends now."""
    try:
        subprocess.Popen(
            _command(),
            env=_environment(store_url),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,  # nobody may wait for the end of ours
            start_new_session=True,
        )
    except OSError as error:
        _warn(error)


def _command() -> list[str]:
    return [sys.executable, "-m", "recorder.background_main"]


def _environment(store_url: str) -> dict[str, str]:
    return {**os.environ, STORE: store_url}


def _warn(error: OSError) -> None:
    logging.warning("read models are not made (%s): run `record rebuild`", error)


async def _watch(writer: WriterProcess) -> None:
    while True:
        await writer.ending.wait()
        writer.ending.clear()
        try:
            await writer.drained()
        except RecorderError:
            return  # the writer has died, as everybody is told
        try:
            await derive(writer.store_url)
        except asyncio.CancelledError:
            writer.ending.set()  # it is not done
            raise
