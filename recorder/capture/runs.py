"""Runs: which process writes, and whether it still does."""

from __future__ import annotations

import os
import socket

from recorder.clock import Clock
from recorder.ids import session_id
from recorder.store.base import RunRow, SessionRow, Status, Store

BEAT_NS = 2_000_000_000
_STALE_NS = 5 * BEAT_NS


def this_run(clock: Clock) -> RunRow:
    """A run for this process that begins now."""
    wall = clock.wall_ns()
    return RunRow(session_id(wall), socket.gethostname(), os.getpid(), wall, wall)


def alive(run: RunRow, wall_ns: int) -> bool:
    """Whether a run still writes: not ended, a fresh heartbeat, and its process exists."""
    if run.ended_ns is not None or wall_ns - run.beat_ns > _STALE_NS:
        return False
    if run.host != socket.gethostname():
        return True
    try:
        os.kill(run.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def status_now(row: SessionRow, runs: dict[str, RunRow], wall_ns: int) -> Status:
    """The status of a session as a reader should see it: a dead run's session is interrupted."""
    run = runs.get(row.run)
    if row.status == "recording" and (run is None or not alive(run, wall_ns)):
        return "interrupted"
    return row.status


def runs_by_id(store: Store) -> dict[str, RunRow]:
    """All runs of a store."""
    return {run.id: run for run in store.runs()}
