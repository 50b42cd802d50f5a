"""What scenarios expect, judged by `replay check` in a process of its own: it belongs to the other
half of the program, which this one does not import."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from recorder.errors import RecorderError

_CHECK = (sys.executable, "-m", "replay", "check")
_FINISHED = (0, 1)


class Judged(NamedTuple):
    """One expectation: `outcome` is `pass`, `fail`, `inconclusive` or `not run`."""

    name: str
    outcome: str
    reason: str


def listed(path: Path) -> list[str]:
    """The names of a scenario's expectations; RecorderError for one that cannot be read."""
    told = subprocess.run(
        (*_CHECK, "--list", "last", str(path)), capture_output=True, text=True, check=False
    )
    if told.returncode:
        raise RecorderError(_reason(told.stderr))
    return told.stdout.splitlines()


async def judge(store_url: str, session: str, path: Path) -> list[Judged]:
    """How a session meets what the scenario in `path` expects."""
    process = await asyncio.create_subprocess_exec(
        *(*_CHECK, "--store", store_url, "--json", session, str(path)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    if process.returncode not in _FINISHED:
        raise RecorderError(_reason(err.decode("utf-8", "replace")))
    checks = json.loads(out)["checks"]
    return [Judged(each["name"], each["outcome"], each["reason"]) for each in checks]


def _reason(told: str) -> str:
    """The last line of what a command said, without its name."""
    lines = told.strip().splitlines() or ["`replay check` failed without a word"]
    return lines[-1].removeprefix("replay: ")
