"""A loop that stands still is noticed, for as long as it did."""

from __future__ import annotations

import asyncio
import time

from recorder.clock import SystemClock
from recorder.trial.pulse import Pulse
from recorder.trial.validity import MAX_STALL_MS, problems

GOOD = {"pacing_error_p99_ms": 2.0, "realtime_ratio": 1.0}


async def test_a_stalled_loop_excludes_a_run() -> None:
    async with Pulse(SystemClock()) as pulse:
        await asyncio.sleep(0.02)
        time.sleep(2 * MAX_STALL_MS / 1000)  # noqa: ASYNC251
        await asyncio.sleep(0.02)
    assert pulse.stall_ms > MAX_STALL_MS
    [why] = problems(GOOD, pulse.stall_ms, 1, 1)
    assert why.startswith("the client stood still for ")
