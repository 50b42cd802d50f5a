"""Whether a limit in dollars can be kept: all that is used has to have a price."""

from __future__ import annotations

from collections.abc import Iterable

from recorder.errors import RecorderError
from recorder.pricing import PriceBook
from recorder.trial.scenario import Scenario
from recorder.trial.sides import side


def uncounted(
    scenarios: Iterable[Scenario], providers: Iterable[str], book: PriceBook, *, has_budget: bool
) -> str | None:
    """What a limit cannot count, in a line; None if it counts everything. The limits are the
    trial's budget, and `budget.max_cost_usd` of a scenario."""
    limited = [each for each in scenarios if has_budget or each.budget.max_cost_usd is not None]
    missing: dict[str, list[str]] = {}
    for name in providers:
        for scenario in limited:
            for component, model in side(name).compile(scenario).priced:
                entry = book.entry(name, component, model)
                if entry is None or entry.basis == "estimate":  # `PriceBook.price` takes none
                    missing.setdefault(f"{name} {component} {model}", []).append(scenario.id)
    if not missing:
        return None
    told = "; ".join(f"{what} ({', '.join(ids)})" for what, ids in missing.items())
    return f"the budget cannot be kept: {book.label} has no price for {told}"


def refuse_uncounted(line: str | None, *, allowed: bool) -> None:
    """RecorderError for what `uncounted` tells, unless the user allows it."""
    if line is not None and not allowed:
        raise RecorderError(
            f"{line}; name a model that `record estimate --minutes 1` lists, or give "
            "--allow-unpriced to go on with a budget that does not count it"
        )
