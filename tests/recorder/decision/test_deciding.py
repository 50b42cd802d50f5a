"""A decision follows from the verdicts by one rule, and is never surer than they are."""

from __future__ import annotations

from datetime import date

import pytest
from findings import Made, finding
from hypothesis import given
from hypothesis import strategies as st

from recorder.comparison.result import Declared, Finding, Verdict
from recorder.decision.deciding import Decision, Ending, Outcome, decide, endings, lasting
from recorder.decision.knowledge import End, shipped
from recorder.features.definitions import Source

GATE = finding("equivalent", "gate")
SOURCE = Source("Acme, Models", "https://acme.example/models", date(2026, 11, 24))
VERDICTS: tuple[Verdict, ...] = (
    "better",
    "better-size-uncertain",
    "worse",
    "worse-size-uncertain",
    "equivalent",
    "inconclusive",
    "not-estimable",
)


def decided(made: Made, *ends: Ending) -> Decision:
    return decide(made.comparison, made.pair, ends)


@pytest.mark.parametrize(
    ("primary", "outcome"),
    [
        (("better", "better"), "switch"),
        (("better", "equivalent"), "switch"),
        (("better-size-uncertain", "equivalent"), "switch"),
        (("equivalent", "equivalent"), "no difference"),
        (("worse", "equivalent"), "stay"),
        (("worse", "better"), "trade-off"),
        (("better", "inconclusive"), "inconclusive"),
        (("worse", "not-estimable"), "inconclusive"),
        ((), "inconclusive"),
    ],
)
def test_the_outcome_follows_from_the_primary_criteria(
    primary: tuple[Verdict, ...], outcome: Outcome
) -> None:
    made = Made((GATE, *(finding(each) for each in primary)))
    assert decided(made).outcome == outcome


def test_a_failed_gate_comes_before_anything_that_is_better() -> None:
    found = decided(Made((finding("worse", "gate"), finding("better"))))
    assert found.outcome == "stay"
    assert found.reasons == ("gate worse: a sentence",)
    assert found.headline == "Stay with vapi (by the declared rule)"


def test_an_open_gate_leaves_everything_open() -> None:
    found = decided(Made((finding("inconclusive", "gate", scenarios=24), finding("better"))))
    assert (found.outcome, found.scenarios_more) == ("inconclusive", 12)
    assert found.headline == (
        f"Inconclusive whether {found.challenger} is better than {found.baseline}: about 12 more "
        "scenarios needed (by the declared rule)"
    )


def test_what_is_missing_is_the_most_that_any_criterion_needs() -> None:
    some = (finding("inconclusive", scenarios=15), finding("inconclusive", scenarios=13))
    assert decided(Made((GATE, *some))).scenarios_more == 3
    runs = decided(Made((GATE, finding("not-estimable", scenarios=12))))
    assert (runs.scenarios_more, "more runs of the same" in runs.headline) == (0, True)
    unknown = decided(Made((GATE, finding("not-estimable"))))
    assert unknown.scenarios_more is None
    assert "not even known" in unknown.headline


def test_exploratory_criteria_decide_nothing() -> None:
    made = Made((GATE, finding("equivalent"), finding("better", "exploratory")))
    assert decided(made).outcome == "no difference"


@pytest.mark.parametrize("target", ["simulator", "address"])
def test_what_was_not_the_live_service_decides_nothing(target: str) -> None:
    found = decided(Made((GATE, finding("better")), (target,)))
    assert found.sure == "not at all"
    assert found.headline.startswith("No decision: this was no trial of the live services.")


@pytest.mark.parametrize(
    ("made", "doubt"),
    [
        (Made((GATE, finding("better")), declared="after"), "margins were not declared before"),
        (Made((GATE, finding("better")), declared="shipped"), "margins were not declared before"),
        (Made((GATE, finding("better")), pilot=True), "too few scenarios"),
        (Made((finding("better"),)), "no gate was declared"),
        (Made((GATE, finding("better-size-uncertain"))), "a difference of uncertain size"),
        (Made((GATE, finding("better", verdict_all="inconclusive"))), "with the excluded runs"),
    ],
)
def test_each_doubt_makes_it_weak(made: Made, doubt: str) -> None:
    found = decided(made)
    assert (found.outcome, found.sure) == ("switch", "weakly")
    assert doubt in found.doubts[0]
    assert found.headline.endswith("(weakly)")


@given(
    st.lists(st.sampled_from(VERDICTS), max_size=4),
    st.lists(st.sampled_from(VERDICTS), max_size=2),
    st.sampled_from(["live", "address", "simulator"]),
    st.sampled_from(["on-tape", "before", "after", "other", "shipped"]),
    st.booleans(),
)
def test_no_decision_is_surer_than_its_verdicts(
    primary: list[Verdict], gates: list[Verdict], target: str, declared: Declared, pilot: bool
) -> None:
    found: list[Finding] = [finding(each) for each in primary]
    found += [finding(each, "gate") for each in gates]
    decision = decided(Made(tuple(found), (target,), declared, pilot))
    if decision.outcome in ("switch", "trade-off", "no difference"):
        assert {"inconclusive", "not-estimable"}.isdisjoint({*primary, *gates})
        assert "worse" not in gates
    if decision.sure == "as declared":
        assert (target, pilot) == ("live", False)
        assert declared in ("on-tape", "before")
    assert decision.reasons


def end(days: int | None, *, hearsay: bool = False) -> Ending:
    ends = None if days is None else date.fromordinal(date(2026, 11, 28).toordinal() + days)
    known = End(("m",), ends, "another", hearsay, SOURCE)
    return endings([("openai", "m", known)], date(2026, 11, 28))[0]


def test_a_model_that_ends_soon_is_none_to_switch_to() -> None:
    made = Made((GATE, finding("better")))
    found = decided(made, end(53))
    assert found.near_ends == (end(53),)
    assert found.headline.startswith("Not yet: openai is better, with a model that ends soon (m)")
    assert decided(made, end(365)).headline == "Switch from vapi to openai (by the declared rule)"
    assert decided(made, end(None)).near_ends == ()


def test_hearsay_of_an_end_changes_no_decision() -> None:
    made = Made((GATE, finding("better")))
    assert decided(made, end(53, hearsay=True)).near_ends == ()


def test_the_end_of_the_baseline_is_no_reason_against_the_challenger() -> None:
    made = Made((GATE, finding("better")))
    found = decided(made, end(53)._replace(arm="vapi"))
    assert len(found.near_ends) == 1
    assert found.headline == "Switch from vapi to openai (by the declared rule)"


def test_whether_the_models_of_an_arm_last() -> None:
    unknown = endings([("openai", "x", None)], date(2026, 11, 28))[0]
    assert lasting([end(400), end(53)]) == "failed"
    assert lasting([end(400), end(53, hearsay=True)]) == "open"
    assert lasting([end(400), end(None)]) == "open"
    assert lasting([end(400), unknown]) == "open"
    assert lasting([end(400)]) == "passed"
    assert lasting([]) == "none"


def test_the_end_of_a_known_model() -> None:
    known = shipped().end("openai/gpt-realtime-2025-08-28")
    [found] = endings([("openai", "gpt-realtime-2025-08-28", known)], date(2026, 11, 28))
    assert (found.days, found.is_near, found.is_sure) == (53, True, True)
    assert shipped().end("gpt-realtime-2.1").ends is None  # type: ignore[union-attr]
    assert shipped().end("gpt-realtime-2027-01-01") is None
