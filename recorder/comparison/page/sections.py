"""What the page shows beside the verdicts: the same evidence by scenario, spread out, and in money.

Only runs that count are in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from recorder.comparison.evidence import Ran
from recorder.comparison.page import asking, numbers
from recorder.comparison.page.numbers import Number
from recorder.comparison.sentences import quantity

WAIT: Final = "v2v_ms"
"""What a listener waits for: docs/metrics.md."""
Components = Mapping[str, Mapping[str, float]]
"""Dollars of the runs that count by arm and component, where all of an arm is priced."""
_PERCENTS: Final = (10, 25, 50, 75, 90, 95)
_FEW: Final = {90: 10, 95: 20}
"""So many values a percentile takes until it is not the greatest."""


class _Plot(NamedTuple):
    title: str
    better: str
    of: Callable[[Sequence[Ran], str], Number | None]


def _wait(runs: Sequence[Ran], title: str) -> Number | None:
    return numbers.percentile(runs, WAIT, 50, title)


def _done(runs: Sequence[Ran], title: str) -> Number | None:
    what = "Runs that finished and met every expectation, of all runs."
    return numbers.share(runs, "task_success", title, what)


_PLOTS: Final = (
    _Plot("Voice to voice, median of turns", "lower", _wait),
    _Plot("Cost per minute", "lower", numbers.a_minute),
    _Plot("Cost per successful task", "lower", numbers.a_success),
    _Plot("Task success", "higher", _done),
)


def plots(runs: Sequence[Ran], arms: Sequence[str]) -> list[dict[str, Any]]:
    """One row a scenario, one value an arm: paired."""
    return [
        {
            "title": plot.title,
            "better": plot.better,
            "rows": [
                {
                    "scenario": scenario,
                    "values": [
                        plot.of(_of(runs, arm, scenario), f"{plot.title}: {scenario}, {arm}")
                        for arm in arms
                    ],
                }
                for scenario in _scenarios(runs)
            ],
        }
        for plot in _PLOTS
    ]


def spread(runs: Sequence[Ran], arms: Sequence[str]) -> dict[str, Any]:
    """Every wait of every arm, sorted, and percentiles of them."""
    waits = {
        arm: sorted(value for run in _of(runs, arm) for value in run.values.get(WAIT, ()))
        for arm in arms
    }
    return {
        "values": [[round(value, 1) for value in waits[arm]] for arm in arms],
        "sql": [asking.values(WAIT, numbers.sessions(_of(runs, arm))) for arm in arms],
        "rows": [
            {
                "percent": percent,
                "values": [
                    numbers.percentile(_of(runs, arm), WAIT, percent, f"P{percent} of {arm}")
                    if len(waits[arm]) >= _FEW.get(percent, 1)
                    else None
                    for arm in arms
                ],
            }
            for percent in _PERCENTS
        ],
    }


def money(runs: Sequence[Ran], arms: Sequence[str], components: Components) -> dict[str, Any]:
    """What each arm cost: in all, a minute, a success; and of what a minute's cost is made."""
    names = sorted({name for of in components.values() for name in of})
    return {
        "rows": [_bill(_of(runs, arm), arm) for arm in arms],
        "components": names,
        "parts": [
            [_part(_of(runs, arm), arm, name, components.get(arm, {})) for name in names]
            for arm in arms
        ],
    }


def grid(runs: Sequence[Ran], arms: Sequence[str]) -> list[dict[str, Any]]:
    """What became of interruptions, by scenario and arm. None: it did not come to one."""
    return [
        {
            "scenario": scenario,
            "cells": [_cell(_of(runs, arm, scenario), f"{scenario}, {arm}") for arm in arms],
        }
        for scenario in _scenarios(runs)
    ]


def _cell(runs: Sequence[Ran], where: str) -> dict[str, Number | None]:
    yields = "Silent within 2 s, of the times that the caller spoke to interrupt the agent."
    stops = "Silent until 1 s after its end, of the sounds to be ignored while the agent spoke."
    return {
        "yields": numbers.share(runs, "yields", f"Yields: {where}", yields),
        "silent": numbers.percentile(runs, "yield_ms", 50, f"Time to silence: {where}"),
        "unheard": numbers.mean_share(runs, "unheard_ratio", f"Unheard share: {where}"),
        "stops": numbers.share(runs, "false_stops", f"False stops: {where}", stops),
    }


def _bill(runs: Sequence[Ran], arm: str) -> dict[str, Any]:
    return {
        "arm": arm,
        "runs": len(runs),
        "usd": numbers.total(runs, f"Dollars: {arm}"),
        "minutes": numbers.lasted(runs, f"Minutes: {arm}"),
        "a_minute": numbers.a_minute(runs, f"Cost per minute: {arm}"),
        "success": _done(runs, f"Task success: {arm}"),
        "a_success": numbers.a_success(runs, f"Cost per successful task: {arm}"),
    }


def _part(
    runs: Sequence[Ran], arm: str, component: str, found: Mapping[str, float]
) -> Number | None:
    """What a component costs a minute."""
    known = [counts for run in runs if (counts := run.counts.get("usd_per_minute")) is not None]
    minutes = sum(of for _, of in known)
    if component not in found or not minutes or len(known) < len(runs):
        return None
    value = found[component] / minutes
    what = f"Dollars of all lines for {component}, divided by the minutes of {arm}."
    sql = asking.dollars_a_minute(numbers.sessions(runs), component)
    return numbers.number(
        quantity(value, "usd/min"), value, f"{component} per minute: {arm}", what, sql
    )


def _of(runs: Sequence[Ran], arm: str, scenario: str | None = None) -> list[Ran]:
    return [run for run in runs if run.arm == arm and scenario in (None, run.scenario)]


def _scenarios(runs: Sequence[Ran]) -> list[str]:
    return sorted({run.scenario for run in runs})
