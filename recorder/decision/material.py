"""What a document is made of, gathered once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from recorder.comparison.result import Comparison, Pair
from recorder.decision.asked import Asking, Money, Run, Told
from recorder.decision.deciding import Decision, Ending, decide, endings
from recorder.decision.knowledge import Guide, Knowledge
from recorder.features.matrix import Arm, Matrix
from recorder.pricing import PriceBook


class Wanted(NamedTuple):
    """What was asked for: minutes a month to project to, and what the migration costs, in dollars,
    where that is known. `compare` is the command line that made the comparison."""

    minutes: Decimal
    effort_usd: Decimal | None
    compare: str


class Material(NamedTuple):
    """All that the sections read. `money`, `models` and `endings` are of the arms of the
    comparison, in their order; `runs_told` is how the runs were asked for."""

    comparison: Comparison
    matrix: Matrix
    knowledge: Knowledge
    asking: Asking
    book: PriceBook
    wanted: Wanted
    runs: Sequence[Run]
    runs_told: Told
    money: dict[str, Money]
    models: dict[str, Told]
    endings: Sequence[Ending]
    decisions: Sequence[Decision]

    def column(self, arm: str) -> Arm | None:
        """The column of the table of features that an arm is."""
        return next((each for each in self.matrix.arms if each.column.sessions == arm), None)

    def guide(self, pair: Pair) -> Guide | None:
        """How to go from the baseline to the challenger."""
        leaves, enters = self.column(pair.baseline), self.column(pair.challenger)
        if leaves is None or enters is None:
            return None
        return self.knowledge.guide(leaves.column.id, enters.column.id)


def gather(
    comparison: Comparison,
    matrix: Matrix,
    knowledge: Knowledge,
    asking: Asking,
    book: PriceBook,
    wanted: Wanted,
) -> Material:
    """Ask for everything, and decide."""
    arms = [arm.name for arm in comparison.arms]
    runs, told = asking.runs()
    models = {name: asking.models(name) for name in arms}
    used = [
        (arm.name, model, knowledge.end(model))
        for arm in comparison.arms
        for model in _once([*arm.models, *(row[0] for row in models[arm.name].rows)])
    ]
    ends = endings(used, date.fromisoformat(comparison.days[-1]))
    decisions = [decide(comparison, pair, ends) for pair in comparison.pairs]
    money = {name: asking.money(name) for name in arms}
    return Material(
        *(comparison, matrix, knowledge, asking, book, wanted, runs, told, money, models),
        *(ends, decisions),
    )


def _once(models: Sequence[str]) -> list[str]:
    """Each model once: a bill may put the vendor before its name."""
    return sorted({each.rpartition("/")[2]: each for each in models}.values())
