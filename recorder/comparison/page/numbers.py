"""Numbers that open what they rest on, as the page takes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from recorder.comparison.evidence import Ran
from recorder.comparison.page import asking
from recorder.comparison.sentences import quantity
from recorder.counting import counted

Number = dict[str, Any]
"""`text` as it is shown, its `value`, `title`, `what` it is, and the `sql` behind it."""


def number(text: str, value: float, title: str, what: str, sql: str) -> Number:
    """A number of the page."""
    return {"text": text, "value": value, "title": title, "what": what, "sql": sql}


def percentile(runs: Sequence[Ran], metric: str, percent: int, title: str) -> Number | None:
    """The value of nearest rank among all turns: one that was measured."""
    found = sorted(value for run in runs for value in run.values.get(metric, ()))
    if not found:
        return None
    value = found[max(0, (len(found) * percent + 99) // 100 - 1)]
    what = f"P{percent} of {counted(len(found), 'value')} of `{metric}`, by nearest rank."
    sql = asking.rank(metric, sessions(runs), percent)
    return number(quantity(value, "ms"), value, title, what, sql)


def mean_share(runs: Sequence[Ran], metric: str, title: str) -> Number | None:
    """The mean of a share, in %."""
    found = [value for run in runs for value in run.values.get(metric, ())]
    if not found:
        return None
    value = sum(found) / len(found)
    what = f"Mean of {counted(len(found), 'value')} of `{metric}`."
    sql = asking.mean(metric, sessions(runs))
    return number(f"{value * 100:.0f} %", value, title, what, sql)


def share(runs: Sequence[Ran], count: str, title: str, what: str) -> Number | None:
    """`2 of 3`; None where there was no chance, or it is not known."""
    found = _summed(runs, count)
    if found is None or not found[1]:
        return None
    done, of = found
    text = f"{done:.0f} of {of:.0f}"
    return number(text, done / of, title, what, asking.notes(sessions(runs)))


def total(runs: Sequence[Ran], title: str) -> Number | None:
    """Dollars in all; None where a price is not known."""
    found = _summed(runs, "usd_per_run")
    if found is None:
        return None
    what = f"What {counted(len(runs), 'run')} cost together."
    return number(quantity(found[0], "usd"), found[0], title, what, asking.dollars(sessions(runs)))


def lasted(runs: Sequence[Ran], title: str) -> Number | None:
    """Minutes in all."""
    found = _summed(runs, "usd_per_minute")
    if found is None:
        return None
    what = f"How long {counted(len(runs), 'run')} lasted, from the open socket to the end."
    return number(f"{found[1]:.2f} min", found[1], title, what, asking.minutes(sessions(runs)))


def a_minute(runs: Sequence[Ran], title: str) -> Number | None:
    """Dollars a minute: a ratio of sums."""
    found = _summed(runs, "usd_per_minute")
    if found is None or not found[1]:
        return None
    value = found[0] / found[1]
    what = f"Dollars of {counted(len(runs), 'run')}, divided by their minutes."
    sql = asking.dollars_a_minute(sessions(runs))
    return number(quantity(value, "usd/min"), value, title, what, sql)


def a_success(runs: Sequence[Ran], title: str) -> Number | None:
    """Dollars for a successful task; None where none succeeded, or a price is not known."""
    found = _summed(runs, "usd_per_success")
    if found is None or not found[1]:
        return None
    value = found[0] / found[1]
    what = (
        f"Dollars of {counted(len(runs), 'run')}, divided by the {found[1]:.0f} that met every"
        " expectation of the scenario."
    )
    sql = asking.dollars_a_success(sessions(runs), round(found[1]))
    return number(quantity(value, "usd"), value, title, what, sql)


def sessions(runs: Sequence[Ran]) -> list[str]:
    """The tapes of some runs."""
    return sorted(run.session for run in runs)


def _summed(runs: Sequence[Ran], count: str) -> tuple[float, float] | None:
    """Both sums; None if there is no run, or one does not know."""
    found = [run.counts.get(count) for run in runs]
    known = [each for each in found if each is not None]
    if not known or len(known) < len(found):
        return None
    return sum(one for one, _ in known), sum(other for _, other in known)
