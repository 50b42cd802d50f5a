"""What is counted over runs and compared as a rate or a ratio of sums; all else is measured
(docs/metrics.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple


class Source(NamedTuple):
    """`of` and `per` say what is divided by what; `unknown` why a run may have neither."""

    statistic: Literal["rate", "ratio"]
    better: Literal["lower", "higher"]
    unit: str
    of: str
    per: str
    unknown: str


_NO_PRICE: Final = "usage without a known price (`record estimate SESSION` names it)"
_NO_TASK: Final = (
    "an unknown outcome: the scenario is not on the tape (give it with --scenario), or words that"
    " it expects were redacted"
)

SOURCES: Final[Mapping[str, Source]] = {
    "task_success": Source(
        "rate", "higher", "%", "runs that finished and met every expectation", "runs", _NO_TASK
    ),
    "tool_failure": Source(
        "rate", "lower", "%", "calls whose result is an error", "calls answered", ""
    ),
    "response_rate": Source(
        "rate", "higher", "%", "turns answered within the deadline", "turns that could be", ""
    ),
    "yields": Source(
        "rate",
        "higher",
        "%",
        "times that the agent was silent within 2 s",
        "times that the caller spoke to interrupt it",
        "",
    ),
    "false_stops": Source(
        "rate",
        "lower",
        "%",
        "times that the agent fell silent within 1 s",
        "sounds to be ignored while it spoke",
        "",
    ),
    "usd_per_success": Source(
        "ratio", "lower", "usd", "dollars", "successful tasks", f"{_NO_PRICE}, or {_NO_TASK}"
    ),
    "usd_per_minute": Source("ratio", "lower", "usd/min", "dollars", "minutes", _NO_PRICE),
    "usd_per_run": Source("ratio", "lower", "usd", "dollars", "runs", _NO_PRICE),
}
