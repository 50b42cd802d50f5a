"""Simulators as processes of their own: one for each run, ended after it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from recorder.errors import RecorderError
from recorder.trial.scenario import Scenario
from recorder.trial.sides import side

_STARTING_S = 30.0
_STOPPING_S = 10.0


@asynccontextmanager
async def simulator(
    provider: str, scenario: Scenario, seed: int, extra: Sequence[str] = ()
) -> AsyncIterator[str]:
    """A stand-in for a provider that understands what the caller says; gives its base URL. `extra`
    are more options of `replay simulate`. RecorderError if it does not start."""
    words = ["simulate", provider, "--listen", "127.0.0.1:0", "--seed", str(seed), "--until-eof"]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "replay", *words, *side(provider).simulator(scenario), *extra),
        stdin=asyncio.subprocess.PIPE,  # kept open: it ends with this process, however that ends
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield await _url(process, provider)
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(process.communicate(), _STOPPING_S)
        except TimeoutError:
            process.kill()
            await process.wait()


async def _url(process: asyncio.subprocess.Process, provider: str) -> str:
    assert process.stdout
    try:
        line = await asyncio.wait_for(process.stdout.readline(), _STARTING_S)
    except TimeoutError:
        line = b""
    word, _, url = line.decode().strip().partition(" ")
    if word != "ready":
        raise RecorderError(f"the simulator of {provider} did not start; see its message above")
    return url
