"""From verdicts to a decision, by one rule for every trial (docs/decision.md).

A decision is never surer than what it rests on: a gate comes before everything else, one criterion
that is inconclusive leaves the whole inconclusive, and what simulators answered decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final, Literal, NamedTuple

from recorder.comparison.result import Arm, Comparison, Finding, Gate, Pair
from recorder.counting import counted
from recorder.decision.knowledge import End

Outcome = Literal["switch", "stay", "no difference", "trade-off", "inconclusive"]
"""`switch`: to the challenger. `trade-off`: better in some, worse in others."""

Sure = Literal["not at all", "weakly", "as declared"]
"""`as declared`: by verdicts at the declared confidence, with margins set before the runs."""

HORIZON_DAYS: Final = 365
"""A model that ends sooner after the last run than this is none to switch to."""

_BETTER: Final = ("better", "better-size-uncertain")
_WORSE: Final = ("worse", "worse-size-uncertain")
_OPEN: Final = ("inconclusive", "not-estimable")
_BEFORE: Final = ("on-tape", "before")


class Ending(NamedTuple):
    """A model of an arm, and what is known of its end. `days` are those from the last run to the
    end, below 0 for one that had ended; None where no end is known."""

    arm: str
    model: str
    known: End | None
    days: int | None

    @property
    def is_near(self) -> bool:
        """Whether it ends within the horizon."""
        return self.days is not None and self.days < HORIZON_DAYS

    @property
    def is_sure(self) -> bool:
        """Whether the date was read at the vendor's."""
        return self.known is not None and not self.known.is_hearsay


def lasting(ends: Iterable[Ending]) -> Gate:
    """Whether the models of an arm last: `failed` if one ends within the horizon, `open` if that is
    not known of one or is hearsay, `none` without a model."""
    states: set[Gate] = {
        "failed"
        if each.is_near and each.is_sure
        else "passed"
        if each.days is not None and not each.is_near
        else "open"
        for each in ends
    }
    order: tuple[Gate, ...] = ("failed", "open", "passed")
    return next((state for state in order if state in states), "none")


class Decision(NamedTuple):
    """What a trial says about a challenger. `outcome` is by the verdicts alone. `sure` says how far
    to trust it, `doubts` why not further; `reasons` are what it rests on. `scenarios_more` is how
    many scenarios are missing for a verdict on all criteria, 0 where scenarios are enough but runs
    are not; None where none is missing, or nobody can tell. `near_ends` are models of both arms
    that end soon, by dates that were read at the vendor's."""

    baseline: str
    challenger: str
    outcome: Outcome
    sure: Sure
    reasons: tuple[str, ...]
    doubts: tuple[str, ...]
    scenarios_more: int | None
    near_ends: tuple[Ending, ...]

    @property
    def headline(self) -> str:
        """One sentence, with how sure it is."""
        said = _SAID[self.outcome].format(**self._asdict(), more=_more(self))
        ending = {each.model for each in self.near_ends if each.arm == self.challenger}
        if self.outcome == "switch" and ending:
            names = ", ".join(sorted(ending))
            said = f"Not yet: {self.challenger} is better, with a model that ends soon ({names})"
        if self.sure == "not at all":
            return f"No decision: this was no trial of the live services. Its figures say: {said}"
        return f"{said} ({'by the declared rule' if self.sure == 'as declared' else 'weakly'})"


_SAID: Final[dict[Outcome, str]] = {
    "switch": "Switch from {baseline} to {challenger}",
    "stay": "Stay with {baseline}",
    "no difference": "No difference that matters between {baseline} and {challenger}",
    "trade-off": (
        "No rule decides: {challenger} is better than {baseline} in some criteria and worse in"
        " others"
    ),
    "inconclusive": "Inconclusive whether {challenger} is better than {baseline}: {more}",
}


def endings(arms: Iterable[tuple[str, str, End | None]], last: date) -> list[Ending]:
    """The models of arms with what is known of them, seen from the day of the last run."""
    return [
        Ending(arm, model, known, (known.ends - last).days if known and known.ends else None)
        for arm, model, known in arms
    ]


def decide(comparison: Comparison, pair: Pair, ends: Sequence[Ending]) -> Decision:
    """The decision about one challenger."""
    outcome, reasons = _outcome(pair)
    sure, doubts = _sure(comparison, pair)
    mine = (each for each in ends if each.arm in (pair.baseline, pair.challenger))
    near = tuple(each for each in mine if each.is_near and each.is_sure)
    more = _scenarios_more(pair) if outcome == "inconclusive" else None
    return Decision(
        *(pair.baseline, pair.challenger, outcome, sure),
        *(tuple(reasons), tuple(doubts), more, near),
    )


def _outcome(pair: Pair) -> tuple[Outcome, list[str]]:
    gates, primary = pair.of("gate"), pair.of("primary")
    if pair.gate == "failed":
        return "stay", [each.sentence for each in gates if each.verdict in _WORSE]
    if pair.gate == "open":
        return "inconclusive", [each.sentence for each in gates if each.verdict in _OPEN] or [
            each.sentence for each in gates
        ]
    if not primary:
        return "inconclusive", ["no primary criterion was declared"]
    unknown = [each for each in primary if each.verdict in _OPEN]
    if unknown:
        return "inconclusive", [each.sentence for each in unknown]
    better = [each for each in primary if each.verdict in _BETTER]
    worse = [each for each in primary if each.verdict in _WORSE]
    reasons = [each.sentence for each in better + worse] or [each.sentence for each in primary]
    if better and worse:
        return "trade-off", reasons
    if better:
        return "switch", reasons
    return ("stay" if worse else "no difference"), reasons


def _sure(comparison: Comparison, pair: Pair) -> tuple[Sure, list[str]]:
    """How sure, and each reason to be less so."""
    arms = [arm for arm in comparison.arms if arm.name in (pair.baseline, pair.challenger)]
    away = [_away(arm) for arm in arms if arm.targets != ("live",)]
    if away:
        return "not at all", away
    doubts = []
    if comparison.declaration.declared not in _BEFORE:
        doubts.append("the margins were not declared before the runs")
    if comparison.pilot:
        doubts.append("there are too few scenarios for more than a pilot")
    if pair.gate == "none":
        doubts.append("no gate was declared, so that nothing had to stay as good as it is")
    deciding = pair.of("gate", "primary")
    uncertain = [each for each in deciding if each.verdict.endswith("-size-uncertain")]
    doubts += [f"a difference of uncertain size: {each.criterion.name}" for each in uncertain]
    changed = [each for each in deciding if each.verdict != each.verdict_all]
    doubts += [
        f"with the excluded runs another verdict would come out: {each.criterion.name}"
        for each in changed
    ]
    return ("weakly" if doubts else "as declared"), doubts


def _away(arm: Arm) -> str:
    if "simulator" in arm.targets:
        return f"{arm.name} was simulated"
    return f"{arm.name} was reached at an address of one's own, not at the live service"


def _scenarios_more(pair: Pair) -> int | None:
    wanted = [each.needed.scenarios for each in _deciding_open(pair) if each.needed]
    return max(0, max(wanted) - pair.scenarios) if wanted else None


def _deciding_open(pair: Pair) -> list[Finding]:
    families = ("gate",) if pair.gate == "open" else ("gate", "primary")
    found = [each for family in families for each in pair.findings if _is(each, family)]
    return [each for each in found if each.needed]


def _is(finding: Finding, family: str) -> bool:
    return finding.criterion.family == family


def _more(decision: Decision) -> str:
    """What is missing."""
    count = decision.scenarios_more
    if count is None:
        return "it is not even known how many more scenarios are needed"
    if count == 0:
        return "more runs of the same scenarios are needed"
    return f"about {counted(count, 'more scenario')} needed"
