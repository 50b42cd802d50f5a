"""Whole trials: known differences are found, absent ones are not, and what is doubtful is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from compared_trial import WALL_NS, Arm, Change, Made, fill
from declared_criteria import FAILING_CALLS, WAIT, criteria_file, primary

from recorder.comparison.comparing import compare
from recorder.comparison.criteria import Criteria, read_criteria, shipped
from recorder.comparison.declaring import declared
from recorder.comparison.documents import as_json, from_json
from recorder.comparison.evidence import Evidence
from recorder.comparison.gather import gather
from recorder.comparison.result import Comparison, Finding
from recorder.comparison.text import lines
from recorder.errors import RecorderError
from recorder.report.text import plain
from recorder.store.memory import MemoryStore
from recorder.trial.record import Kept

VAPI = Arm("vapi")
CRITERIA = criteria_file(
    WAIT,
    FAILING_CALLS,
    primary("cost", "usd_per_minute", 10),
    primary("greeting", "greeting_ms", 10, "log_median"),
)


def succeeded(kept: Kept) -> bool | None:
    return kept.end["outcome"] == "finished"


def evidence(*arms: Arm, change: Change = lambda made: None, **size: int) -> Evidence:
    store = MemoryStore()
    fill(store, arms, change=change, **size)
    return gather(store, "switch", succeeded)


def compared(*arms: Arm, change: Change = lambda made: None, **size: int) -> Comparison:
    return compare(evidence(*arms, change=change, **size), shipped(), "shipped")


def named(comparison: Comparison, name: str, pair: int = 0) -> Finding:
    return next(each for each in comparison.pairs[pair].findings if each.criterion.name == name)


def verdicts(found: Comparison) -> dict[str, str]:
    return {each.criterion.name: each.verdict for each in found.pairs[0].findings}


@pytest.mark.parametrize("seed", range(1, 6))
def test_known_differences_are_found_and_the_absent_one_is_not(seed: int) -> None:
    other = Arm("openai", latency_ms=1000, failing=0.1, usd=0.065)
    criteria = read_criteria(CRITERIA, "criteria.toml")
    found = compare(evidence(other, VAPI, seed=seed), criteria, "before", "vapi")
    told = verdicts(found)
    assert told["greeting"] in ("equivalent", "inconclusive")
    for name in ("wait", "failing calls", "cost"):
        assert told[name] in ("worse", "worse-size-uncertain"), (name, named(found, name))
    for name, truth in (("wait", 200), ("failing calls", 10), ("cost", 30)):
        effect = named(found, name).effect
        assert effect
        assert effect.low <= truth <= effect.high, (name, effect)


def test_runs_that_were_planned_and_did_not_take_place_are_told() -> None:
    planned = {"scenario-00": 3, "scenario-01": 3, "scenario-99": 3}

    def plan(made: Made) -> None:
        made.facts = {"planned": planned if made.arm.name == "vapi" else {"scenario-00": 1}}

    found = compared(VAPI, Arm("openai"), scenarios=2, repeats=2, change=plan)
    assert {arm.name: arm.planned for arm in found.arms} == {"vapi": 9, "openai": 1}
    told = [each for each in found.warnings if "planned" in each]
    assert told == [
        "vapi: 4 of 9 planned runs took place: the same `record trial` command holds the rest"
    ]
    text = "\n".join(lines(found, plain, 200))
    assert "4 of 9" in text
    assert from_json(as_json(found)) == found
    untold = compared(VAPI, Arm("openai"), scenarios=2, repeats=2)
    assert not any("planned" in each for each in untold.warnings)


def test_the_same_provider_twice_differs_in_nothing() -> None:
    criteria = read_criteria(CRITERIA, "criteria.toml")
    found = compare(evidence(VAPI, Arm("openai")), criteria, "before", "vapi")
    assert set(verdicts(found).values()) <= {"equivalent", "inconclusive"}


def test_a_better_challenger_wins_and_the_gate_holds_it() -> None:
    found = compared(VAPI, Arm("openai", latency_ms=500, usd=0.03))
    assert verdicts(found)["cost per successful task"] == "better"
    assert verdicts(found)["voice-to-voice, median"] == "better"
    assert found.pairs[0].gate == "open"  # 50 runs cannot show that nothing is worse by 5 points
    assert "nothing else may win" in found.pairs[0].sentence
    task = named(found, "task success")
    assert task.verdict == "inconclusive"
    assert task.needed is not None
    assert task.needed.runs > 50
    assert f"{task.needed.runs} of each arm" in task.sentence


def test_a_challenger_that_fails_its_task_fails_the_gate() -> None:
    assert compared(VAPI, Arm("openai", success=0.5)).pairs[0].gate == "failed"


def test_costs_are_of_successful_tasks() -> None:
    found = compared(VAPI, Arm("openai", success=0.5))
    cost = named(found, "cost per successful task")
    assert cost.verdict == "worse"
    assert named(found, "cost per minute").verdict in ("equivalent", "inconclusive")


def test_p95_is_not_estimable_with_50_runs() -> None:
    found = named(compared(VAPI, Arm("openai")), "voice-to-voice, P95")
    assert found.verdict == "not-estimable"
    assert found.reason
    assert "below 59 independent observations" in found.reason
    assert found.needed
    assert found.needed.runs >= 59
    larger = compared(VAPI, Arm("openai"), scenarios=12)
    assert named(larger, "voice-to-voice, P95").effect is not None


def test_three_arms_are_each_compared_with_the_first() -> None:
    arms = (VAPI, Arm("openai"), Arm("third", usd=0.1))
    found = compared(*arms)
    assert [arm.name for arm in found.arms] == ["vapi", "openai", "third"]
    assert [(pair.baseline, pair.challenger) for pair in found.pairs] == [
        ("vapi", "openai"),
        ("vapi", "third"),
    ]
    assert named(found, "cost per minute", 1).verdict == "worse"
    # Holm counts the primary criteria of both
    alone, both = compared(arms[0], arms[2]), named(found, "cost per successful task", 1)
    one = named(alone, "cost per successful task")
    assert one.effect
    assert both.effect
    assert both.effect.p_adjusted >= 2 * both.effect.p > 0 or both.effect.p == 0


def test_excluded_runs_are_counted_and_shown_with_and_without() -> None:
    def stall(made: object) -> None:
        if made.key[:2] == ("openai", "scenario-03"):  # type: ignore[attr-defined]
            made.stall_ms = 120.0  # type: ignore[attr-defined]
            made.v2v_ms = [9_000.0] * 6  # type: ignore[attr-defined]

    found = compared(VAPI, Arm("openai"), change=stall)
    [excluded] = found.exclusions
    assert (excluded.arm, excluded.rule, excluded.runs) == ("openai", "stall", 5)
    assert len(excluded.sessions) == 5
    openai = found.arms[1]
    assert (openai.runs, openai.valid) == (50, 45)
    assert (found.pairs[0].scenarios, found.pilot) == (9, False)
    wait = named(found, "voice-to-voice, median")
    assert wait.effect
    assert wait.effect_all
    assert wait.effect.scenarios == 9
    assert wait.effect_all.scenarios == 10
    assert wait.effect_all.high > wait.effect.high
    assert all(session in wait.query for session in excluded.sessions)
    assert any("1 scenario without a valid run of both" in each for each in found.warnings)
    assert any("5 of 100 runs excluded by rule (stall)" in each for each in found.warnings)
    assert "5 runs excluded by rule" in found.pairs[0].sentence


def test_a_run_that_was_held_again_takes_the_place_of_the_excluded_one() -> None:
    def stall(made: Made) -> None:
        if made.key in {("openai", "scenario-00", 1), ("openai", "scenario-01", 1)}:
            made.stall_ms = 120.0

    store = MemoryStore()
    first = fill(store, (VAPI, Arm("openai")), scenarios=2, repeats=2, change=stall)
    later = WALL_NS + 86_400_000_000_000
    again = fill(store, (VAPI, Arm("openai")), scenarios=1, repeats=1, begun_ns=later)
    key, held = ("openai", "scenario-00", 1), gather(store, "switch", succeeded)
    assert again[key] in {run.session for run in held.runs}
    found = compare(held, shipped(), "shipped", "vapi")
    assert [(arm.runs, arm.valid) for arm in found.arms] == [(4, 4), (4, 3)]
    rules = {(each.arm, each.rule): each.sessions for each in found.exclusions}
    assert set(rules["openai", "stall"]) == {first[key], first["openai", "scenario-01", 1]}
    assert rules["vapi", "not held"] == (again["vapi", "scenario-00", 1],)  # the first one counts
    assert any("1 of 8 runs excluded by rule (stall)" in each for each in found.warnings)
    assert first[key] in named(found, "voice-to-voice, median").query


def test_a_provider_that_hangs_up_is_not_excluded_for_it() -> None:
    def cut(made: object) -> None:
        if made.key == ("openai", "scenario-01", 1):  # type: ignore[attr-defined]
            made.outcome = "failed"  # type: ignore[attr-defined]
            made.facts = {"turns": 3}  # type: ignore[attr-defined]

    found = compared(VAPI, Arm("openai"), change=cut)
    assert {(each.arm, each.rule) for each in found.exclusions} == {
        ("openai", "delivery"),  # the finished runs of that scenario came to 1 of 3 turns
        ("vapi", "delivery"),
    }
    assert found.arms[1].valid == 50 - 4


def test_runs_that_did_not_take_place_are_named() -> None:
    def stop(made: object) -> None:
        if made.key == ("openai", "scenario-01", 1):  # type: ignore[attr-defined]
            made.outcome = "stopped"  # type: ignore[attr-defined]

    found = compared(VAPI, Arm("openai"), change=stop)
    [excluded] = found.exclusions
    assert (excluded.rule, excluded.runs, found.arms[1].runs) == ("not held", 1, 49)
    assert "equally many runs that count in scenario-01: " in found.warnings[-1]


def test_as_many_runs_of_each_arm_are_not_warned_about() -> None:
    found = compared(VAPI, Arm("openai"))
    assert not any("equally many" in each for each in found.warnings)


def test_an_unknown_price_is_no_price() -> None:
    def unpriced(made: object) -> None:
        if made.key == ("openai", "scenario-01", 1):  # type: ignore[attr-defined]
            made.usd = None  # type: ignore[attr-defined]

    found = named(compared(VAPI, Arm("openai"), change=unpriced), "cost per minute")
    assert found.verdict == "not-estimable"
    assert found.reason == (
        "1 of 100 runs with usage without a known price (`record estimate SESSION` names it)"
    )


def test_an_unknown_task_has_no_success() -> None:
    store = MemoryStore()
    fill(store, (VAPI, Arm("openai")), scenarios=2, repeats=1)
    found = compare(gather(store, "switch", lambda kept: None), shipped(), "shipped")
    task = named(found, "task success")
    assert task.reason
    assert task.reason.startswith("4 of 4 runs with an unknown outcome")


def test_simulated_is_said_first_and_a_pilot_too() -> None:
    found = compared(VAPI, Arm("openai"), scenarios=3, repeats=2)
    assert found.simulated
    assert found.pilot
    assert found.warnings[0].startswith("SIMULATED: vapi and openai")
    assert found.pairs[0].sentence.startswith("Simulated. A pilot. On 3 scenarios × 2 paired runs")
    assert "the live service of vapi and openai" in found.not_tested
    assert found.pairs[0].sentence.endswith(f"{found.not_tested[-1]}.")


def test_live_runs_are_not_called_simulated() -> None:
    def live(made: object) -> None:
        made.target = "live"  # type: ignore[attr-defined]

    found = compared(VAPI, Arm("openai"), change=live)
    assert not found.simulated
    assert not any("SIMULATED" in each for each in found.warnings)
    assert not any("live service" in each for each in found.not_tested)


def test_a_comparison_survives_json() -> None:
    found = compared(VAPI, Arm("openai"), scenarios=3)
    assert from_json(as_json(found)) == found


@pytest.mark.parametrize(
    ("digests", "modified_ns", "told"),
    [
        ([None], None, "shipped"),
        ([None], WALL_NS - 1, "before"),
        ([None], WALL_NS, "after"),
        (["this"], WALL_NS + 1, "on-tape"),
        (["this", None], WALL_NS + 1, "after"),
        (["this", "other"], WALL_NS - 1, "other"),
        (["other"], None, "other"),
    ],
)
def test_when_margins_were_declared(
    digests: Sequence[str | None], modified_ns: int | None, told: str
) -> None:
    runs = evidence(VAPI, Arm("openai"), scenarios=2, repeats=1)
    criteria = Criteria("c.toml", "this", 0.95, None, ())
    seen = replace(runs, criteria=frozenset(digests))
    assert declared(criteria, seen, modified_ns) == told


@pytest.mark.parametrize("told", ["after", "other", "shipped"])
def test_margins_that_nobody_declared_before_are_warned_about(told: str) -> None:
    runs = evidence(VAPI, Arm("openai"), scenarios=2, repeats=1)
    with_warning = compare(runs, shipped(), told)  # type: ignore[arg-type]
    without = compare(runs, shipped(), "before")
    assert len(with_warning.warnings) == len(without.warnings) + 1


def test_what_cannot_be_compared_is_told() -> None:
    with pytest.raises(RecorderError, match="has only vapi: a comparison takes two providers"):
        compared(VAPI, scenarios=2)
    with pytest.raises(RecorderError, match="--baseline: 'acme' is none of the arms: openai, vapi"):
        compare(evidence(VAPI, Arm("openai"), scenarios=2), shipped(), "shipped", "acme")
    with pytest.raises(RecorderError, match="no trial 'none' in the store"):
        gather(MemoryStore(), "none", succeeded)


def test_a_declared_baseline_has_to_be_there_and_that_which_comes_along_need_not() -> None:
    runs = evidence(Arm("openai"), Arm("third"), scenarios=2)
    assert compare(runs, shipped(), "shipped").arms[0].name == "openai"
    with pytest.raises(RecorderError, match="baseline: 'vapi' is none of the arms"):
        compare(runs, shipped(), "before")


def test_one_scenario_is_not_enough() -> None:
    found = compared(VAPI, Arm("openai"), scenarios=1)
    assert set(verdicts(found).values()) == {"not-estimable"}
