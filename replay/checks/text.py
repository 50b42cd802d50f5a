"""Results of checks for people, and as cases of JUnit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import get_args

from recorder.counting import counted
from recorder.report.junit import Case, Outcome
from recorder.report.text import Paint
from recorder.report.wording import printable
from replay.checks.outcomes import Result

_COLOURS: dict[Outcome, str] = {
    "pass": "green",
    "fail": "red",
    "inconclusive": "yellow",
    "not run": "blue",
}
_OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
_WIDTH = max(map(len, _OUTCOMES))


def lines(results: Sequence[Result], paint: Paint) -> Iterator[str]:
    """A line for each check, and one for why, with the events that it rests on."""
    for each in results:
        outcome = each.verdict.outcome
        word = paint(f"{outcome.upper():<{_WIDTH}}", fg=_COLOURS[outcome])
        yield f"{word}  {printable(each.name)}"
        yield f"{'':<{_WIDTH}}  {_why(each)}"


def _why(result: Result) -> str:
    reason, seqs = printable(result.verdict.reason), result.verdict.seqs
    return reason + (f"  (events {', '.join(map(str, seqs))})" if seqs else "")


def summary(results: Sequence[Result]) -> str:
    """The last line."""
    counts = Counter(each.verdict.outcome for each in results)
    told = ", ".join(f"{counts[each]} {each}" for each in _OUTCOMES if counts[each])
    return f"{counted(len(results), 'check')}: {told}"


def cases(results: Sequence[Result], classname: str) -> list[Case]:
    """The results for JUnit."""
    return [
        Case(each.name, classname, 0.0, each.verdict.outcome, each.verdict.reason, _events(each))
        for each in results
    ]


def _events(result: Result) -> str:
    return "\n".join(f"event {seq}" for seq in result.verdict.seqs)
