"""A whole trial: what is done is not repeated, and the budget ends it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from scenes import scenario
from tapes import SECRETS, WALL_NS

from recorder.capture.writer import Writer
from recorder.clock import VirtualClock
from recorder.derive import refresh
from recorder.errors import RecorderError
from recorder.projections.marks import MetricRow
from recorder.store.base import Store
from recorder.store.memory import MemoryStore
from recorder.trial.holding import Purse, done_before, hold
from recorder.trial.plan import Run, left, plan
from recorder.trial.record import END, RUN, TURN, Notes, kept_runs
from recorder.trial.runner import Prepared, Ran

SMALL = scenario()
PREPARED = {"small": Prepared(SMALL, {}, Path("small.toml"))}
RUNS = plan(["small"], ("openai", "vapi"), 2, 1)


class Runs:
    """Each run costs the next amount."""

    is_stopped = False

    def __init__(
        self, costs: Sequence[str | None], outcome: str = "finished", known: str = "0"
    ) -> None:
        self.caps: list[Decimal | None] = []
        self._costs, self._outcome, self._known = list(costs), outcome, Decimal(known)

    async def run(self, run: Run, prepared: Prepared, cap: Decimal | None) -> Ran:
        self.caps.append(cap)
        usd = self._costs.pop(0)
        reason = None if self._outcome == "finished" else "the trial was stopped"
        cost = Decimal(usd) if usd else None
        return Ran(run, "s", self._outcome, reason, cost, (), cost or self._known)


async def held(runs: Runs, purse: Purse) -> list[Ran | str]:
    return [told async for told in hold(runs, RUNS, PREPARED, purse)]


async def test_all_runs_are_held_in_order() -> None:
    purse = Purse(None)
    told = await held(Runs(["0.1"] * 4), purse)
    assert [each.run for each in told if isinstance(each, Ran)] == RUNS
    assert purse.spent == Decimal("0.4")


async def test_a_run_that_would_pass_the_budget_is_not_begun() -> None:
    runs = Runs(["0.1"] * 4)
    told = await held(runs, Purse(Decimal("0.35")))
    assert len(told) == 4
    assert isinstance(told[3], str)
    assert "the budget of $0.35 ends the trial: $0.3000 spent" in told[3]
    assert runs.caps == [Decimal("0.35"), Decimal("0.25"), Decimal("0.15")]


async def test_a_budget_that_cannot_be_kept_ends_the_trial() -> None:
    with pytest.raises(RecorderError, match="usage without a known price"):
        await held(Runs(["0.1", None]), Purse(Decimal(5)))
    assert len(await held(Runs(["0.1", None, "0.1", "0.1"]), Purse(None))) == 4


async def test_what_has_no_price_may_be_allowed_and_the_rest_is_counted() -> None:
    purse = Purse(Decimal("0.30"), allows_unpriced=True)
    told = await held(Runs(["0.1", None, "0.1", "0.1"], known="0.05"), purse)
    assert purse.spent == Decimal("0.25")
    assert told[3:] == [
        "the budget of $0.30 ends the trial: $0.2500 spent, and the next run is expected to cost "
        "$0.0500"
    ]


async def test_a_run_that_was_stopped_is_the_last() -> None:
    told = await held(Runs(["0.1"], "stopped"), Purse(None))
    assert told[1:] == ["the trial was stopped"]


async def test_no_run_is_begun_after_a_signal() -> None:
    runs = Runs(["0.1"] * 4)
    told = []
    async for each in hold(runs, RUNS, PREPARED, Purse(None)):
        told.append(each)
        runs.is_stopped = True
    assert len(told) == 2
    assert told[1] == "the trial was stopped"


def keep(
    store: Store,
    run: Run,
    outcome: str | None,
    sha256: str = SMALL.sha256,
    *,
    turns: int = 1,
    stall_ms: float = 0.0,
) -> None:
    """A run as a trial records it; without an outcome its recorder died."""
    writer = Writer(store, VirtualClock(0, WALL_NS), SECRETS)
    writer.start()
    tape = writer.open(run.provider, "switch")
    notes = Notes(tape)
    facts: dict[str, Any] = {"scenario": run.scenario, "provider": run.provider}
    notes.add(RUN, {**facts, "repeat": run.repeat, "sha256": sha256})
    for turn in range(1, turns + 1):
        notes.add(TURN, {"turn": turn, "trigger": "anchor"})
    if outcome:
        notes.add(END, {"outcome": outcome, "reason": None, "stall_ms": stall_ms})
    notes.end()
    tape.end("complete" if outcome else "interrupted")
    writer.close()


def test_only_runs_that_came_to_an_end_count_as_done() -> None:
    store = MemoryStore()
    for run, outcome in zip(RUNS, ("finished", "failed", "stopped", None), strict=True):
        keep(store, run, outcome)
    purse = Purse(None)
    assert done_before(store, "switch", PREPARED, purse) == {RUNS[0].key, RUNS[1].key}
    assert done_before(store, "another", PREPARED, purse) == set()


async def test_a_trial_that_was_killed_goes_on_without_repeating_what_has_finished() -> None:
    store = MemoryStore()
    keep(store, RUNS[0], "finished")
    keep(store, RUNS[1], None)  # killed here
    done = done_before(store, "switch", PREPARED, Purse(None))
    rest = left(RUNS, done)
    assert rest == RUNS[1:]
    for run in rest:
        keep(store, run, "finished")
    assert left(RUNS, done_before(store, "switch", PREPARED, Purse(None))) == []
    finished = [kept.key for kept in kept_runs(store, "switch") if kept.is_done]
    assert sorted(finished) == sorted(run.key for run in RUNS)
    assert len(list(kept_runs(store, "switch"))) == len(RUNS) + 1


def test_a_run_whose_provider_could_not_be_talked_to_is_repeated() -> None:
    store = MemoryStore()
    keep(store, RUNS[0], "failed", turns=0)
    assert done_before(store, "switch", PREPARED, Purse(None)) == set()


def test_only_what_a_rule_excludes_is_held_again_where_that_is_asked() -> None:
    store = MemoryStore()
    keep(store, RUNS[0], "finished", stall_ms=200)
    keep(store, RUNS[1], "finished")
    keep(store, RUNS[2], "failed")
    assert again(store) == [RUNS[0], RUNS[3]]
    assert left(RUNS, done_before(store, "switch", PREPARED, Purse(None))) == [RUNS[3]]
    keep(store, RUNS[0], "finished")
    assert again(store) == [RUNS[3]]


def again(store: Store) -> list[Run]:
    """What is left with `--retry-excluded`; the caller kept its pace on every tape."""
    for row in store.sessions():
        refresh(store, [row])
        kept = {name: list(store.models(name, row.id)) for name in ("mark", "cost_line")}
        values = (("pacing_error_p99_ms", 1.0), ("realtime_ratio", 1.0))
        told = [
            MetricRow(row.id, at, None, name, value, "ms", f"{name}/1", "{}", 1, 1)
            for at, (name, value) in enumerate(values, 1)
        ]
        store.put_models(row.id, {**kept, "metric": told})
    purse = Purse(None)
    return left(RUNS, done_before(store, "switch", PREPARED, purse, retry_excluded=True))


def test_a_run_tells_its_turns_with_their_place_on_the_tape() -> None:
    store = MemoryStore()
    keep(store, RUNS[0], "finished")
    [kept] = kept_runs(store, "switch")
    assert kept.key == RUNS[0].key
    assert kept.is_done
    [turn] = kept.turns
    assert (turn["turn"], turn["trigger"], turn["seq"]) == (1, "anchor", 2)
    assert json.dumps(kept.end) == '{"outcome": "finished", "reason": null, "stall_ms": 0.0}'


def test_a_scenario_that_has_changed_needs_another_trial() -> None:
    store = MemoryStore()
    keep(store, RUNS[0], "finished", "another text")
    with pytest.raises(RecorderError, match="scenario small has changed since the runs"):
        done_before(store, "switch", PREPARED, Purse(None))
