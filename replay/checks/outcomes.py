"""How a check came out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from recorder.report.junit import Outcome
from replay.checks.tape import Tape

_SHOWN = 12  # events that a verdict names


class Verdict(NamedTuple):
    """`pass`; `fail`; `inconclusive`: the tape lacks the evidence; `not run`: it does not apply to
    this provider. `reason` is a line, `seqs` are the events that the verdict rests on."""

    outcome: Outcome
    reason: str
    seqs: tuple[int, ...] = ()


Check = Callable[[Tape], Verdict]


class Result(NamedTuple):
    """A check of a file, and its verdict."""

    name: str
    kind: str
    verdict: Verdict

    def as_json(self) -> dict[str, Any]:
        """The result for machines."""
        outcome, reason, seqs = self.verdict
        facts = {"name": self.name, "kind": self.kind, "outcome": outcome, "reason": reason}
        return {**facts, "events": list(seqs)}


def passed(reason: str, seqs: Iterable[int] = ()) -> Verdict:
    """It holds."""
    return Verdict("pass", reason, _some(seqs))


def failed(reason: str, seqs: Iterable[int] = ()) -> Verdict:
    """It does not hold."""
    return Verdict("fail", reason, _some(seqs))


def judged(holds: bool, reason: str, seqs: Iterable[int] = ()) -> Verdict:
    """`pass` if it holds, else `fail`."""
    return passed(reason, seqs) if holds else failed(reason, seqs)


def inconclusive(reason: str) -> Verdict:
    """The evidence is not on the tape."""
    return Verdict("inconclusive", reason)


def not_run(reason: str) -> Verdict:
    """It says nothing about this tape."""
    return Verdict("not run", reason)


def _some(seqs: Iterable[int]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(seqs))[:_SHOWN]


def in_turn(turn: int | None) -> str:
    """` in turn 2`; nothing where it is any."""
    return "" if turn is None else f" in turn {turn}"
