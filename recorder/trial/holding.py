"""A whole trial: its runs one after the other, up to the end, the budget, or a signal."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from recorder.billing import known_of, paid
from recorder.derive import refresh
from recorder.errors import RecorderError
from recorder.store.base import Store
from recorder.trial.plan import Run
from recorder.trial.record import Kept, kept_runs
from recorder.trial.runner import Prepared, Ran
from recorder.trial.validity import excluding


class Runs(Protocol):
    """What holds one conversation; see `runner.Runner`."""

    @property
    def is_stopped(self) -> bool:
        """Whether no more runs are to be begun."""
        ...

    async def run(self, run: Run, prepared: Prepared, cap: Decimal | None) -> Ran:
        """One conversation, which may cost `cap`."""
        ...


@dataclass
class Purse:
    """What a trial may spend, and has spent. `budget` None is no limit. With `allows_unpriced`, of
    what has no known price only the rest is counted."""

    budget: Decimal | None
    spent: Decimal = Decimal(0)
    allows_unpriced: bool = False
    _most: dict[tuple[str, str], Decimal] = field(default_factory=dict)

    @property
    def left(self) -> Decimal | None:
        """What the next run may cost."""
        return None if self.budget is None else self.budget - self.spent

    def pay(self, run: tuple[str, str], usd: Decimal | None, known: Decimal) -> None:
        """A run of a scenario at a provider took place; `known` is what of `usd` is known where
        that is None. RecorderError if a budget cannot be kept."""
        if usd is None and self.budget is not None and not self.allows_unpriced:
            raise RecorderError(
                f"the budget cannot be kept: a run of {run[0]} at {run[1]} has usage without a "
                "known price (`record estimate last` names it); --allow-unpriced goes on"
            )
        cost = known if usd is None else usd
        self.spent += cost
        self._most[run] = max(self._most.get(run, Decimal(0)), cost)

    def refuses(self, run: Run) -> str | None:
        """Why a run is not begun: with what its like has cost, more than the budget is spent."""
        coming = self._most.get((run.scenario, run.provider), Decimal(0))
        if self.budget is None or self.spent + coming < self.budget:
            return None
        return (
            f"the budget of ${self.budget} ends the trial: ${self.spent:.4f} spent, and the next "
            f"run is expected to cost ${coming:.4f}"
        )


def done_before(
    store: Store,
    trial: str,
    prepared: Mapping[str, Prepared],
    purse: Purse,
    *,
    retry_excluded: bool = False,
) -> set[tuple[str, str, int]]:
    """The keys of the runs that are on the store, with `retry_excluded` but for those that a rule
    excludes; what all tapes cost is paid. RecorderError if a scenario has changed since."""
    done = set()
    for kept in kept_runs(store, trial):
        _same(kept, prepared, trial)
        if not store.models("mark", kept.row.id):
            refresh(store, [kept.row])
        bill = store.models("cost_line", kept.row.id)
        purse.pay(kept.key[:2], paid(bill), known_of(bill))
        if kept.is_done and not (retry_excluded and _is_excluded(store, kept)):
            done.add(kept.key)
    return done


def _is_excluded(store: Store, kept: Kept) -> bool:
    rows = store.models("metric", kept.row.id)
    metrics = {row.metric: row.value for row in rows if row.turn is None}
    return bool(excluding(kept, metrics, kept.run.get("turns", len(kept.turns))))


def _same(kept: Kept, prepared: Mapping[str, Prepared], trial: str) -> None:
    found = prepared.get(kept.run["scenario"])
    if found is not None and found.scenario.sha256 != kept.run["sha256"]:
        raise RecorderError(
            f"scenario {found.scenario.id} has changed since the runs of trial {trial!r}: "
            "give another --trial, so that like is compared with like"
        )


async def hold(
    runner: Runs, runs: Sequence[Run], prepared: Mapping[str, Prepared], purse: Purse
) -> AsyncIterator[Ran | str]:
    """Hold the runs in order; gives each as it has ended, and at last why the trial ended early, if
    it did."""
    for run in runs:
        why = "the trial was stopped" if runner.is_stopped else purse.refuses(run)
        if why:
            yield why
            return
        ran = await runner.run(run, prepared[run.scenario], purse.left)
        yield ran
        purse.pay(run.key[:2], ran.usd, ran.known_usd)
        if ran.outcome == "stopped":
            yield ran.reason or "the trial was stopped"
            return
