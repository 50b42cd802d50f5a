"""What a comparison found: nothing but values, for text, JSON and pages alike (docs/compare.md).

An *arm* is a provider of the trial. The first arm is the baseline; each other one, the challenger,
is compared with it. Differences are challenger less baseline; a verdict speaks of the challenger.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

Family = Literal["primary", "exploratory", "gate"]
"""`primary`: declared to decide, with Holm's correction. `gate`: may not get worse, before anything
else may win. `exploratory`: shown, and proves nothing."""

Statistic = Literal["log_median", "quantile", "mean", "rate", "ratio"]
"""`log_median`: change of the median, in % (mean over scenarios of the differences of log medians).
`quantile`: difference of a pooled quantile. `mean`: difference of means over scenarios. `rate`:
share of events, pooled; difference in points. `ratio`: of two sums, such as dollars per minute; in
%."""

Verdict = Literal[
    "better",
    "better-size-uncertain",
    "worse",
    "worse-size-uncertain",
    "equivalent",
    "inconclusive",
    "not-estimable",
]

Declared = Literal["on-tape", "before", "after", "other", "shipped"]
"""When margins were declared: `on-tape`: every run carries the digest of the file; `before`: the
file is older than the first run; `after`: it is not; `other`: a run carries the digest of another
file; `shipped`: those that come with this program."""

Gate = Literal["passed", "failed", "open", "none"]
"""Over all gates of an arm: none is worse by its margin; one is; it is not known; there is none."""


class Criterion(NamedTuple):
    """One line of `criteria.toml`. `unit` is that of an estimate, `effect_unit` that of `margin`
    and differences: `%`, `points`, or the unit. `quantile` is set where the statistic is one: 0.95.
    """

    name: str
    family: Family
    metric: str
    statistic: Statistic
    quantile: float | None
    better: Literal["lower", "higher"]
    margin: float
    unit: str
    effect_unit: str


class Estimate(NamedTuple):
    """A criterion in one arm. `value` None: there is none. `observations` are what the statistic is
    made of (turns, calls, runs), in `runs` runs. `low` and `high` are Wilson's 95 % interval for a
    rate, and None otherwise."""

    arm: str
    value: float | None
    observations: int
    runs: int
    low: float | None = None
    high: float | None = None


class Effect(NamedTuple):
    """Challenger less baseline, in the criterion's `effect_unit`, with the interval of the declared
    confidence. `p` is two-sided, against no difference; `p_adjusted` after Holm, for primary
    criteria, else as `p`. `scenarios` is how many it rests on; `method` how the interval was made.
    """

    difference: float
    low: float
    high: float
    p: float
    p_adjusted: float
    scenarios: int
    method: str


class Needed(NamedTuple):
    """What would be needed to tell: `scenarios`, each run `repeats` times at each arm."""

    scenarios: int
    repeats: int

    @property
    def runs(self) -> int:
        """Runs of each arm."""
        return self.scenarios * self.repeats


class Finding(NamedTuple):
    """A criterion, judged for one challenger. `effect` is None if it is not estimable; `reason`
    then says why. `effect_all` and `verdict_all` are the same with the excluded runs counted (equal
    where none is excluded). `needed` is set where the verdict is inconclusive, or too few runs are
    the reason. `query` gives the raw values when `record sql` is asked."""

    criterion: Criterion
    baseline: Estimate
    challenger: Estimate
    effect: Effect | None
    verdict: Verdict
    reason: str | None
    needed: Needed | None
    effect_all: Effect | None
    verdict_all: Verdict
    query: str
    sentence: str


class Pair(NamedTuple):
    """A challenger against the baseline. `scenarios` have valid runs of both. `sentence` is what
    may be said in all, and ends with what was not tested."""

    baseline: str
    challenger: str
    scenarios: int
    findings: tuple[Finding, ...]
    gate: Gate
    sentence: str

    def of(self, *families: Family) -> tuple[Finding, ...]:
        """The findings of some families."""
        return tuple(each for each in self.findings if each.criterion.family in families)


class Arm(NamedTuple):
    """A provider. `runs` are those that took place, `valid` those that count; `targets` is where
    they went (`simulator`, `address`, `live`); `models` as the tapes tell them. `turns` are the
    user's, of valid runs. `planned` is how many runs there were to be; None: no tape tells."""

    name: str
    runs: int
    valid: int
    turns: int
    targets: tuple[str, ...]
    models: tuple[str, ...]
    planned: int | None = None

    @property
    def missing(self) -> int:
        """How many of the planned runs did not take place."""
        return max(0, (self.planned or 0) - self.runs)


class Exclusion(NamedTuple):
    """Runs of an arm that a rule excludes (docs/trial.md): `pace`, `speed`, `stall`, `delivery`; or
    `not held`, for tapes of runs that were stopped or never begun. A run may break several rules.
    `sessions` names them, those too in whose place a run was held again."""

    arm: str
    rule: str
    runs: int
    sessions: tuple[str, ...]


class Declaration(NamedTuple):
    """Where the margins stand. `sha256` is that of the file's bytes."""

    file: str
    sha256: str
    declared: Declared
    confidence: float


class Comparison(NamedTuple):
    """A trial compared. `arms[0]` is the baseline. `scenarios` are the ids of all that were run,
    `repeats` the most runs of one scenario in an arm. `days` are the UTC days of the runs, and
    `price_books` what the bills rest on. `warnings` are whole sentences to be shown before anything
    else; `not_tested` is what the trial says nothing about."""

    trial: str
    arms: tuple[Arm, ...]
    scenarios: tuple[str, ...]
    repeats: int
    days: tuple[str, ...]
    price_books: tuple[str, ...]
    exclusions: tuple[Exclusion, ...]
    declaration: Declaration
    pairs: tuple[Pair, ...]
    simulated: bool
    pilot: bool
    warnings: tuple[str, ...]
    not_tested: tuple[str, ...]


PILOT: Final = 10
"""With fewer scenarios a trial is a pilot."""
