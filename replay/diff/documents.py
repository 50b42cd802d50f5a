"""Differences for machines: JSON and JUnit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from recorder.report.junit import Case
from replay.diff.differences import GRADES, Diff, Difference, Grade, Span
from replay.diff.wording import headline, turn_name


def as_json(diff: Diff) -> dict[str, Any]:
    """The document of `--json`, without what the two sessions are."""
    return {
        "messages": {"a": diff.messages[0], "b": diff.messages[1]},
        "counts": {grade: _count(diff, grade) for grade in GRADES},
        "kinds": dict(Counter(each.kind for each in diff.differences)),
        "unused_rules": list(diff.unused),
        "differences": [_one(each) for each in diff.differences],
    }


def _count(diff: Diff, grade: Grade) -> int:
    return sum(each.grade == grade for each in diff.differences)


def _one(each: Difference) -> dict[str, Any]:
    made = each._asdict()
    made["a_seq"], made["b_seq"] = _span(each.a_seq), _span(each.b_seq)
    return made


def _span(span: Span | None) -> list[int] | None:
    return None if span is None else list(span)


def cases(diff: Diff, classname: str, fail_on: Grade) -> list[Case]:
    """One case a turn, and one for what comes before the first. It fails by a difference of at
    least `fail_on`."""
    made = []
    for turn in range(len(diff.turns) + 1):
        own = [each for each in diff.differences if each.turn == turn]
        failing = [each for each in own if each.is_at_least(fail_on)]
        made.append(_case(turn_name(diff, turn), classname, own, failing))
    return made


def _case(
    name: str, classname: str, own: Sequence[Difference], failing: Sequence[Difference]
) -> Case:
    details = "\n".join(headline(each) for each in own)
    if not failing:
        return Case(name, classname, 0.0, "pass", details=details)
    more = f", and {len(failing) - 1} more" if len(failing) > 1 else ""
    return Case(name, classname, 0.0, "fail", headline(failing[0]) + more, details)
