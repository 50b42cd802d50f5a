"""Compares a trial: each challenger with the baseline, criterion by criterion."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from math import ceil
from typing import Final

from recorder.comparison import judging
from recorder.comparison.criteria import Criteria
from recorder.comparison.estimating import Measured, Refused
from recorder.comparison.evidence import Evidence, Ran
from recorder.comparison.measuring import estimate, measure
from recorder.comparison.queries import query
from recorder.comparison.result import (
    PILOT,
    Arm,
    Comparison,
    Criterion,
    Declaration,
    Declared,
    Effect,
    Exclusion,
    Finding,
    Needed,
    Pair,
    Verdict,
)
from recorder.comparison.sentences import (
    finding_sentence,
    not_tested,
    pair_sentence,
    unpaired,
    warnings,
)
from recorder.errors import RecorderError

NOT_HELD: Final = "not held"
Judged = dict[tuple[str, str], tuple[Measured | Refused, Effect | None, Verdict]]
"""By challenger and name of the criterion."""


def compare(
    evidence: Evidence, criteria: Criteria, declared: Declared, baseline: str | None = None
) -> Comparison:
    """A trial compared by criteria. `baseline` is the arm to compare with; else the criteria name
    it, else it is the first by name. RecorderError if there is nothing to compare."""
    first = _baseline(evidence, criteria, declared, baseline)
    names = (first, *(arm for arm in evidence.arms if arm != first))
    valid = [run for run in evidence.runs if run.is_valid]
    judged = _judged(evidence.trial, criteria, names, valid)
    counting = judged
    if len(valid) < len(evidence.runs):
        counting = _judged(evidence.trial, criteria, names, evidence.runs)
    comparison = Comparison(
        evidence.trial,
        tuple(_arm(name, evidence) for name in names),
        tuple(sorted({run.scenario for run in evidence.runs})),
        _repeats(evidence.runs),
        tuple(sorted({_day(run.wall_ns) for run in evidence.runs})),
        evidence.price_books,
        tuple(_exclusions(evidence, names)),
        Declaration(criteria.file, criteria.sha256, declared, criteria.confidence),
        (),
        any(run.target == "simulator" for run in evidence.runs),
        len({run.scenario for run in valid}) < PILOT,
        (),
        (),
    )
    pairs = [
        _pair(comparison, criteria, evidence, judged, counting, challenger)
        for challenger in names[1:]
    ]
    done = comparison._replace(pairs=tuple(pairs))
    told = (*warnings(done), *unpaired(_unpaired(names, valid)))
    done = done._replace(warnings=told, not_tested=not_tested(done))
    said = (each._replace(sentence=pair_sentence(done, each)) for each in done.pairs)
    return done._replace(pairs=tuple(said))


def _baseline(
    evidence: Evidence, criteria: Criteria, declared: Declared, baseline: str | None
) -> str:
    arms = evidence.arms
    if len(arms) < 2:
        has = f"only {arms[0]}" if arms else "no runs"
        raise RecorderError(
            f"trial {evidence.trial!r} has {has}: a comparison takes two providers; "
            "`record trial FILE… --provider openai,vapi` runs both"
        )
    wanted = baseline or criteria.baseline
    if wanted in arms:
        return str(wanted)
    if wanted is None or (baseline is None and declared == "shipped"):
        return arms[0]
    where = "--baseline" if baseline else f"{criteria.file}: baseline"
    raise RecorderError(f"{where}: {wanted!r} is none of the arms: {', '.join(arms)}")


def _judged(trial: str, criteria: Criteria, names: Sequence[str], runs: Sequence[Ran]) -> Judged:
    """Every criterion of every challenger; the primary ones are one family for Holm."""
    arms = {name: [run for run in runs if run.arm == name] for name in names}
    measured = {
        (challenger, one.name): measure(
            one,
            (arms[names[0]], arms[challenger]),
            criteria.confidence,
            f"{trial}/{challenger}/{one.name}",
        )
        for challenger in names[1:]
        for one in criteria.criteria
    }
    by_name = {one.name: one for one in criteria.criteria}
    family = [key for key in measured if by_name[key[1]].family == "primary"]
    values = [found.p if isinstance(found := measured[key], Measured) else 1.0 for key in family]
    adjusted = dict(zip(family, judging.holm(values), strict=True))
    judged: Judged = {}
    for key, found in measured.items():
        if isinstance(found, Refused):
            judged[key] = found, None, "not-estimable"
            continue
        effect = _effect(found, adjusted.get(key, found.p))
        judged[key] = (
            found,
            effect,
            judging.verdict(effect, by_name[key[1]], criteria.confidence),
        )
    return judged


def _effect(found: Measured, adjusted: float) -> Effect:
    return Effect(
        found.difference,
        found.low,
        found.high,
        found.p,
        adjusted,
        found.scenarios,
        found.method,
    )


def _pair(
    comparison: Comparison,
    criteria: Criteria,
    evidence: Evidence,
    judged: Judged,
    counting: Judged,
    challenger: str,
) -> Pair:
    baseline = comparison.arms[0].name
    arms = (baseline, challenger)
    runs = [run for run in evidence.runs if run.is_valid]
    left_out = [run.session for run in evidence.runs if not run.is_valid and run.arm in arms]
    left_out += [tape.session for tape in evidence.not_held if tape.arm in arms]
    challengers = len(comparison.arms) - 1
    family = challengers * sum(one.family == "primary" for one in criteria.criteria)
    findings = []
    for one in criteria.criteria:
        found, effect, verdict = judged[challenger, one.name]
        _, effect_all, verdict_all = counting[challenger, one.name]
        told = [
            estimate(one, arm, [run for run in runs if run.arm == arm], criteria.confidence)
            for arm in arms
        ]
        if isinstance(found, Measured):  # over the scenarios that both have
            values = found.baseline, found.challenger
            told = [each._replace(value=value) for each, value in zip(told, values, strict=True)]
        finding = Finding(
            *(one, told[0], told[1], effect, verdict),
            found.reason if isinstance(found, Refused) else None,
            _needed(found, verdict, one, criteria.confidence, comparison.repeats, family),
            *(effect_all, verdict_all),
            query(one, evidence.trial, arms, left_out),
            "",
        )
        findings.append(finding._replace(sentence=finding_sentence(finding, criteria.confidence)))
    both = [{run.scenario for run in runs if run.arm == arm} for arm in arms]
    gate = judging.gate(findings)
    return Pair(baseline, challenger, len(both[0] & both[1]), tuple(findings), gate, "")


def _needed(
    found: Measured | Refused,
    verdict: Verdict,
    one: Criterion,
    confidence: float,
    repeats: int,
    family: int,
) -> Needed | None:
    if isinstance(found, Refused):
        return Needed(ceil(found.runs / repeats), repeats) if found.runs else None
    if verdict != "inconclusive":
        return None
    together = family if one.family == "primary" else 1
    return judging.needed(found, one, confidence, repeats, together)


def _arm(name: str, evidence: Evidence) -> Arm:
    own = [run for run in evidence.runs if run.arm == name]
    valid = [run for run in own if run.is_valid]
    targets = tuple(sorted({run.target for run in own}))
    models = tuple(sorted({run.model for run in own if run.model}))
    turns, planned = sum(run.turns for run in valid), evidence.planned.get(name)
    return Arm(name, len(own), len(valid), turns, targets, models, planned)


def _repeats(runs: Sequence[Ran]) -> int:
    """The most runs of one scenario in one arm."""
    counted: dict[tuple[str, str], int] = {}
    for run in runs:
        counted[run.arm, run.scenario] = counted.get((run.arm, run.scenario), 0) + 1
    return max(counted.values())


def _unpaired(names: Sequence[str], runs: Sequence[Ran]) -> list[str]:
    """The scenarios that every arm has, but not as often."""
    counted = Counter((run.scenario, run.arm) for run in runs)
    scenarios = sorted({run.scenario for run in runs})
    held = {each: {counted[each, arm] for arm in names} for each in scenarios}
    return [each for each in scenarios if 0 not in held[each] and len(held[each]) > 1]


def _exclusions(evidence: Evidence, names: Sequence[str]) -> list[Exclusion]:
    found: dict[tuple[str, str], list[str]] = {}
    for run in evidence.runs:
        for rule in run.broken:
            found.setdefault((run.arm, rule), []).append(run.session)
    for tape in evidence.not_held:
        for rule in tape.rules or (NOT_HELD,):
            found.setdefault((tape.arm, rule), []).append(tape.session)
    order = sorted(found, key=lambda key: (key[0] not in names, key[0] != names[0], key))
    return [Exclusion(*key, len(found[key]), tuple(found[key])) for key in order]


def _day(wall_ns: int) -> str:
    return datetime.fromtimestamp(wall_ns / 1e9, UTC).date().isoformat()
