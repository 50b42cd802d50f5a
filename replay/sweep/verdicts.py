"""What became of each tape of a sweep, in words and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any, Literal, NamedTuple

from recorder.counting import counted
from recorder.errors import RecorderError
from recorder.report.junit import Case
from replay.report import Tally

Verdict = Literal["PASS", "FAIL", "NOOP", "ERROR", "BROKEN"]
"""`NOOP`: the application never came; `ERROR`: it ended badly although the replay was complete;
`BROKEN`: the tape could not be played."""
_SHOWN = 8  # names of tapes in a message
_WORDS: dict[Verdict, str] = {
    "PASS": "passed",
    "FAIL": "failed",
    "NOOP": "never connected",
    "ERROR": "ended badly",
    "BROKEN": "could not be played",
}


class Outcome(NamedTuple):
    """A tape's verdict. `lines` say more, `tail` is the end of the application's output; audio and
    cost (US dollars, None if unknown) are what the tape has."""

    name: str
    session: str
    verdict: Verdict
    steps: Tally
    audio_s: float
    cost: float | None
    took_s: float
    lines: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()
    code: int | None = None

    @property
    def headline(self) -> str:
        """The verdict in one line."""
        if self.verdict == "BROKEN":
            return f"BROKEN {self.name}"
        cost = "" if self.cost is None else f" cost=${self.cost:.3f} (recorded)"
        steps = f"{self.steps.used}/{self.steps.total}"
        return f"{self.verdict} {self.name} steps={steps} audio={self.audio_s:.1f}s{cost}"

    def text(self) -> str:
        """The verdict, and beneath it what explains it."""
        lines = [self.headline, *(f"  {line}" for line in self.lines)]
        if self.tail:
            lines += ["  the end of the application's output:"]
            lines += [f"  | {line}" for line in self.tail]
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """The verdict for machines."""
        return {
            "name": self.name,
            "session": self.session,
            "verdict": self.verdict,
            "steps_used": self.steps.used,
            "steps_total": self.steps.total,
            "audio_s": round(self.audio_s, 3),
            "cost_usd": self.cost,
            "took_s": round(self.took_s, 3),
            "exit_code": self.code,
            "report": list(self.lines),
            "output": list(self.tail),
        }

    def as_case(self) -> Case:
        """The verdict for CI systems."""
        if self.verdict == "PASS":
            return Case(self.name, "tapes", self.took_s, "pass", self.text())
        reason = f"{self.verdict}: {self.lines[0]}"
        return Case(self.name, "tapes", self.took_s, "fail", reason, self.text())


def check_patterns(patterns: Sequence[str], names: Sequence[str]) -> None:
    """RecorderError if a pattern of `--expect-fail` fits no tape: it would prove nothing."""
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            shown = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
            raise RecorderError(f"--expect-fail {pattern!r} fits no tape: there are {shown}")


def turned(outcome: Outcome, expected: Sequence[str]) -> Outcome:
    """A verdict on a tape that has to fail, if its name fits one of the patterns: failing passes,
    and passing fails."""
    if not any(fnmatchcase(outcome.name, pattern) for pattern in expected):
        return outcome
    if outcome.verdict == "FAIL":
        note = "failed, as --expect-fail says:"
        return outcome._replace(verdict="PASS", lines=(note, *outcome.lines[:1]), tail=())
    if outcome.verdict == "PASS":
        note = "the replay was complete, and --expect-fail says that this tape has to fail"
        return outcome._replace(verdict="FAIL", lines=(note, *outcome.lines))
    return outcome


def summary(outcomes: Sequence[Outcome], took_s: float) -> str:
    """How many came to what."""
    found = [outcome.verdict for outcome in outcomes]
    counts = [f"{found.count(each)} {_WORDS[each]}" for each in _WORDS if each in found]
    costs = [outcome.cost for outcome in outcomes if outcome.cost is not None]
    cost = f"; ${sum(costs):.2f} recorded" if costs else ""
    tapes = counted(len(outcomes), "tape")
    return f"{tapes}: {', '.join(counts)}{cost}; {took_s:.1f} s"


def exit_code(outcomes: Sequence[Outcome]) -> int:
    """0 if all passed, 2 if a tape could not be played, else 1."""
    found = {outcome.verdict for outcome in outcomes}
    if "BROKEN" in found:
        return 2
    return 0 if found == {"PASS"} else 1
