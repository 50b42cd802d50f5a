"""Whether a run may be compared: rules about the client, which know nothing of the agent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from recorder.counting import counted
from recorder.trial.record import Kept

MAX_PACING_MS: Final = 10.0
MAX_STALL_MS: Final = 50.0
REALTIME: Final = (0.99, 1.01)


class Broken(NamedTuple):
    """A rule that a run breaks, by its name (docs/trial.md), and how."""

    rule: str
    why: str


def excluding(kept: Kept, metrics: Mapping[str, float], turns: int) -> list[str]:
    """The rules that exclude a run on the store; `metrics` and `turns` as for `broken`. What was
    not delivered because the run failed counts: else a provider that hangs up would be compared by
    its other calls alone."""
    delivered = len(kept.turns) if kept.end.get("outcome") == "finished" else turns
    found = broken(metrics, float(kept.end.get("stall_ms", 0.0)), delivered, turns)
    return list(dict.fromkeys(each.rule for each in found))


def problems(
    metrics: Mapping[str, float], stall_ms: float, delivered: int, turns: int
) -> list[str]:
    """What is wrong with a run, a line each; none for a valid one. Arguments as for `broken`."""
    return [each.why for each in broken(metrics, stall_ms, delivered, turns)]


def broken(
    metrics: Mapping[str, float], stall_ms: float, delivered: int, turns: int
) -> list[Broken]:
    """The rules that a run breaks; none for a valid one.

    `metrics` are the measured `pacing_error_p99_ms` and `realtime_ratio` of the tape, `stall_ms` is
    the longest time for which the client's event loop stood still, and `delivered` says how many of
    its `turns` the caller came to.
    """
    found = []
    pacing, ratio = metrics.get("pacing_error_p99_ms"), metrics.get("realtime_ratio")
    if pacing is None or ratio is None:
        found.append(Broken("pace", "the pace of the caller's audio could not be measured"))
    else:
        if pacing >= MAX_PACING_MS:
            why = f"the caller's audio was {pacing:.1f} ms off its time (p99)"
            found.append(Broken("pace", why))
        if not REALTIME[0] <= ratio <= REALTIME[1]:
            found.append(Broken("speed", f"the caller's audio ran at {ratio:.3f} of real time"))
    if stall_ms > MAX_STALL_MS:
        found.append(Broken("stall", f"the client stood still for {stall_ms:.0f} ms"))
    if delivered < turns:
        found.append(Broken("delivery", f"{delivered} of {counted(turns, 'turn')} delivered"))
    return found
