"""Reads the runs of a trial from a store: the one place here that touches the world."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from recorder.billing import paid
from recorder.comparison.evidence import Count, Evidence, Ran, Tape
from recorder.comparison.stimuli import Stimulus, false_stops, yields
from recorder.errors import RecorderError
from recorder.projections.marks import CostRow
from recorder.store.base import Store
from recorder.trial.record import Kept, kept_runs
from recorder.trial.validity import excluding

_MS: Final = 1_000_000
_MINUTE_NS: Final = 60_000_000_000
Judge = Callable[[Kept], bool | None]
"""Whether a run did what its scenario expects; None if that is not known."""


def gather(store: Store, trial: str, judge: Judge) -> Evidence:
    """The runs of a trial; of one that was held again because a rule excludes it, the last time.
    RecorderError if there are none, or read models are missing."""
    kept = list(kept_runs(store, trial))
    if not kept:
        raise RecorderError(_no_runs(store, trial))
    turns = _turns(kept)
    runs: dict[tuple[str, str, int], Ran] = {}
    derived = {mark.session for mark in store.models("mark")}
    not_held = []
    books: set[str] = set()
    for each in kept:
        before = runs.get(each.key)
        if not each.is_done or (before is not None and before.is_valid):
            not_held.append(Tape(each.row.id, each.run["provider"]))
            continue
        if before is not None:
            not_held.append(Tape(before.session, before.arm, before.broken))
        if each.row.id not in derived:
            raise RecorderError(
                f"session {each.row.id} has no read models: `record rebuild` makes them"
            )
        costs = store.models("cost_line", each.row.id)
        books.update(line.price_book or f"{line.provider}'s own bill" for line in costs)
        runs[each.key] = _ran(store, each, turns[each.run["scenario"]], costs, judge)
    declared = frozenset(each.run.get("criteria") for each in kept if each.key in runs)
    prices = tuple(sorted(books))
    return Evidence(trial, tuple(runs.values()), tuple(not_held), declared, prices, _planned(kept))


def _no_runs(store: Store, trial: str) -> str:
    names = sorted({row.trial for row in store.sessions()})
    if trial not in names:
        have = f"; there are {', '.join(names[:8])}" if names else ""
        return f"no trial {trial!r} in the store{have}"
    return f"trial {trial!r} has no runs of scenarios: `record trial FILE… --trial NAME` holds some"


def _turns(kept: Iterable[Kept]) -> dict[str, int]:
    """How many turns each scenario has; of tapes that do not say so, what was come to at most."""
    found: dict[str, int] = {}
    for each in kept:
        told = each.run.get("turns", len(each.turns))
        name = each.run["scenario"]
        found[name] = max(found.get(name, 0), told)
    return found


def _planned(kept: Iterable[Kept]) -> dict[str, int]:
    """How many runs each arm was to have: of each scenario the most that a tape of it tells."""
    most: dict[str, dict[str, int]] = {}
    for each in kept:
        arm = most.setdefault(each.run["provider"], {})
        for scenario, runs in each.run.get("planned", {}).items():
            arm[scenario] = max(arm.get(scenario, 0), runs)
    return {arm: sum(found.values()) for arm, found in most.items() if found}


def _ran(store: Store, kept: Kept, turns: int, costs: Sequence[CostRow], judge: Judge) -> Ran:
    session = kept.row.id
    values: dict[str, list[float]] = {}
    whole: dict[str, float] = {}
    for row in store.models("metric", session):
        values.setdefault(row.metric, []).append(row.value)
        if row.turn is None:
            whole[row.metric] = row.value
    succeeded = judge(kept)
    counts = {
        **_money(_minutes(store, kept), costs, succeeded),
        **_conduct(store, kept, whole),
        "task_success": None if succeeded is None else (float(succeeded), 1.0),
    }
    return Ran(
        session,
        kept.run["provider"],
        kept.run["scenario"],
        kept.run["repeat"],
        kept.run["target"],
        kept.row.model,
        kept.row.wall_ns,
        sum(row.origin != "agent" for row in store.models("turn", session)),
        tuple(excluding(kept, whole, turns)),
        values,
        counts,
    )


def _minutes(store: Store, kept: Kept) -> float | None:
    """From the open socket to the end, as `usd_per_minute` counts it."""
    for told in store.models("outline", kept.row.id):
        end = kept.row.ended_ns if told.ended_ns is None else told.ended_ns
        if end is not None and end > (told.opened_ns or 0):
            return float(end - (told.opened_ns or 0)) / _MINUTE_NS
    return None


def _money(
    minutes: float | None, costs: Sequence[CostRow], succeeded: bool | None
) -> dict[str, Count | None]:
    usd: Decimal | None = paid(costs) if costs else None
    dollars = None if usd is None else float(usd)
    return {
        "usd_per_run": None if dollars is None else (dollars, 1.0),
        "usd_per_minute": None if dollars is None or minutes is None else (dollars, minutes),
        "usd_per_success": (
            None if dollars is None or succeeded is None else (dollars, float(succeeded))
        ),
    }


def _conduct(store: Store, kept: Kept, whole: Mapping[str, float]) -> dict[str, Count | None]:
    calls = [row for row in store.models("tool_call", kept.row.id) if row.failed is not None]
    answered = whole.get("turns_answered", 0.0)
    judged = answered + whole.get("turns_late", 0.0) + whole.get("turns_missed", 0.0)
    stimuli = [_stimulus(note) for note in kept.turns]
    cuts = list(_cuts(store, kept))
    return {
        "tool_failure": (
            float(sum(bool(row.failed) for row in calls)),
            float(len(calls)),
        ),
        "response_rate": (answered, judged),
        "yields": yields(stimuli, cuts),
        "false_stops": false_stops(stimuli, cuts),
    }


def _cuts(store: Store, kept: Kept) -> Iterator[float]:
    """When the agent fell silent: by sound, as long after the caller came to the turn as `yield_ms`
    says. Where it paused just as the caller began, there is nothing to measure, and it counts when
    the provider heard the caller."""
    silent = [row for row in store.models("metric", kept.row.id) if row.metric == "yield_ms"]
    for row in silent:
        begun = [note["at_ns"] for note in kept.turns if note["seq"] < row.last_seq]
        yield from (at / _MS + row.value for at in begun[-1:])
    measured = {row.turn for row in silent}
    for cut in store.models("interruption", kept.row.id):
        if cut.detected_ns is not None and cut.turn not in measured:
            yield cut.detected_ns / _MS


def _stimulus(note: Mapping[str, Any]) -> Stimulus:
    was_over_agent = note["trigger"] == "anchor" and note.get("after") == "agent_speech_start"
    return Stimulus(note["mode"], note["at_ns"] / _MS, note.get("ms", 0.0), was_over_agent)
