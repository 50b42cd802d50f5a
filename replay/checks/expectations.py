"""The expectations of a scenario as checks over the tape of its run.

An expectation belongs to a turn of the scenario; what the provider made of that turn on the tape
may be one turn, several, or none. It holds if it holds in one of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from recorder.projections.rows import TurnRow
from recorder.trial.scenario import Budget, Scenario
from replay.checks import CheckFileError, Named, named
from replay.checks.outcomes import Check, Verdict, inconclusive
from replay.checks.tape import Tape

Heard = Mapping[int, Sequence[int]]
"""Turn of a scenario -> the turns of the tape that it became."""

_OF_TURN: Final = ("says", "calls", "latency_ms", "metric", "response_status", "yields_within_ms")
_OF_TURN_BEFORE: Final = ("yields_within_ms",)  # an interruption belongs to the answer that it cut


class Mark(NamedTuple):
    """A turn of a scenario, and the event at which it began."""

    turn: int
    seq: int
    mode: str


def heard(marks: Sequence[Mark], rows: Sequence[TurnRow]) -> dict[int, list[int]]:
    """The turns of a tape that each of `marks` became. What was to be ignored may have begun a turn
    that the next one only went on with."""
    found = {}
    ends = [*(mark.seq for mark in marks), None][1:]
    begin = 0
    for mark, end in zip(marks, ends, strict=True):
        begin = begin or mark.seq
        found[mark.turn] = [
            row.turn
            for row in rows
            if row.origin != "agent"
            and begin <= row.first_seq
            and (end is None or row.first_seq < end)
        ]
        if mark.mode != "ignore":
            begin = 0
    return found


def expectations(scenario: Scenario, turns: Heard) -> list[Named]:
    """All checks of a scenario, those of its budget last. CheckFileError for the first that is
    wrong."""
    found = []
    for turn in scenario.turns:
        for number, values in enumerate(turn.expect, 1):
            where = f"{scenario.id}, turn {turn.number}, expect {number}"
            if "turn" in values:
                raise CheckFileError(f"{where}: leave out turn; it is that of the scenario")
            one = named(values, where)
            name = f"turn {turn.number}: {one.name}"
            if one.kind in _OF_TURN:
                check = _in_one_of(values, where, one.kind, turns.get(turn.number, ()))
                one = one._replace(check=check)
            found.append(one._replace(name=name))
    return found + list(_limits(scenario.budget))


def _in_one_of(values: Mapping[str, Any], where: str, kind: str, turns: Sequence[int]) -> Check:
    numbers = list(turns)
    if kind in _OF_TURN_BEFORE and numbers and numbers[0] > 1:
        numbers.insert(0, numbers[0] - 1)
    checks = [named({**values, "turn": number}, where).check for number in numbers]

    def check(tape: Tape) -> Verdict:
        verdict = inconclusive("the provider heard no turn of the user here")
        for each in checks:
            told = each(tape)
            if told.outcome == "pass":
                return told
            if verdict.outcome != "fail":
                verdict = told
        return verdict

    return check


def _limits(budget: Budget) -> list[Named]:
    tables: list[dict[str, Any]] = []
    for key, name in (("p50", "v2v_p50_ms"), ("p90", "v2v_p90_ms")):
        if (most := getattr(budget, name)) is not None:
            tables.append({"metric": "v2v_ms", key: most, "name": f"budget: {name} {most:g}"})
    if (most := budget.cost_per_min_usd) is not None:
        name = f"budget: cost_per_min_usd {most:g}"
        tables.append({"metric": "usd_per_minute", "max": most, "name": name})
    if (most := budget.max_cost_usd) is not None:
        tables.append({"cost_usd": {"max": most}, "name": f"budget: max_cost_usd {most:g}"})
    return [named(table, "budget") for table in tables]
