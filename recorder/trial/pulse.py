"""Whether an event loop keeps up: how late it wakes up from a short sleep."""

from __future__ import annotations

import asyncio
from typing import Self

from recorder.clock import Clock

_BEAT_S = 0.01


class Pulse:
    """Beats while its context is open; `stall_ms` is for how long the loop stood still at most."""

    def __init__(self, clock: Clock) -> None:
        self.stall_ms = 0.0
        self._clock = clock
        self._beating: asyncio.Task[None]

    async def __aenter__(self) -> Self:
        self._beating = asyncio.create_task(self._beat())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._beating.cancel()
        await asyncio.gather(self._beating, return_exceptions=True)

    async def _beat(self) -> None:
        while True:
            begun = self._clock.now_ns()
            await asyncio.sleep(_BEAT_S)
            late_ms = (self._clock.now_ns() - begun) / 1e6 - _BEAT_S * 1000
            self.stall_ms = max(self.stall_ms, late_ms)
