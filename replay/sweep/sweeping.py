"""All tapes of a sweep, several at a time; the verdicts come in the order of the tapes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

from recorder.clock import Clock
from replay.sweep.run import Options, play_source
from replay.sweep.sources import Source
from replay.sweep.verdicts import Outcome


async def sweep(
    sources: Sequence[Source], options: Options, jobs: int, clock: Clock
) -> AsyncGenerator[Outcome, None]:
    """Play each tape to a process of its own, at most `jobs` at a time."""
    turn = asyncio.Semaphore(jobs)

    async def one(source: Source) -> Outcome:
        async with turn:
            return await play_source(source, options, clock)

    tasks = [asyncio.create_task(one(source)) for source in sources]
    try:
        for task in tasks:
            yield await task
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
