"""Comparisons made by hand, for tests of what is decided by them."""

from __future__ import annotations

from dataclasses import dataclass, field

from recorder.comparison.judging import gate
from recorder.comparison.result import (
    Arm,
    Comparison,
    Criterion,
    Declaration,
    Declared,
    Effect,
    Estimate,
    Family,
    Finding,
    Needed,
    Pair,
    Verdict,
)

_GAINS: dict[Verdict, tuple[float, float]] = {
    "better": (12.0, 30.0),
    "better-size-uncertain": (2.0, 30.0),
    "worse": (-30.0, -12.0),
    "worse-size-uncertain": (-30.0, -2.0),
    "equivalent": (-3.0, 3.0),
    "inconclusive": (-15.0, 25.0),
}


def finding(
    verdict: Verdict,
    family: Family = "primary",
    *,
    scenarios: int | None = None,
    verdict_all: Verdict | None = None,
    name: str = "",
) -> Finding:
    """A criterion with a margin of 10, whose interval fits the verdict; more is better."""
    named = name or f"{family} {verdict}"
    one = Criterion(named, family, "v2v_ms", "mean", None, "higher", 10.0, "ms", "ms")
    effect = None
    if verdict in _GAINS:
        low, high = _GAINS[verdict]
        effect = Effect((low + high) / 2, low, high, 0.01, 0.02, 12, "t")
    return Finding(
        *(one, Estimate("vapi", 900.0, 60, 12), Estimate("openai", 800.0, 60, 12), effect),
        *(verdict, None, Needed(scenarios, 5) if scenarios else None),
        *(effect, verdict_all or verdict, "SELECT 1", f"{named}: a sentence"),
    )


@dataclass
class Made:
    """A comparison of twelve scenarios at the live services, with margins on the tapes."""

    findings: tuple[Finding, ...]
    targets: tuple[str, ...] = ("live",)
    declared: Declared = "on-tape"
    pilot: bool = False
    comparison: Comparison = field(init=False)

    def __post_init__(self) -> None:
        arms = tuple(Arm(name, 60, 60, 300, self.targets, ()) for name in ("vapi", "openai"))
        pair = Pair("vapi", "openai", 12, self.findings, gate(self.findings), "all in all")
        declaration = Declaration("criteria.toml", "c" * 64, self.declared, 0.95)
        self.comparison = Comparison(
            *("switch", arms, tuple(f"s{n}" for n in range(12)), 5, ("2026-11-28",), ("book",)),
            *((), declaration, (pair,), self.targets == ("simulator",), self.pilot, (), ()),
        )

    @property
    def pair(self) -> Pair:
        """The only one."""
        return self.comparison.pairs[0]
