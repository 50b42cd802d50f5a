"""Criteria files for trials that are made up, a criterion a call."""

from __future__ import annotations


def criterion(name: str, metric: str, margin: float, statistic: str = "", family: str = "") -> str:
    """A criterion; a `statistic` is one of which less is better."""
    lines = ["[[criterion]]", f'name = "{name}"', f'metric = "{metric}"', f"margin = {margin}"]
    if statistic:
        lines += [f'statistic = "{statistic}"', 'better = "lower"']
    if family:
        lines.append(f'family = "{family}"')
    return "\n".join(lines) + "\n"


def primary(name: str, metric: str, margin: float, statistic: str = "") -> str:
    """A criterion that decides."""
    return criterion(name, metric, margin, statistic, family="primary")


def criteria_file(*criteria: str, baseline: str = "") -> str:
    """The text of a criteria file."""
    named = f'baseline = "{baseline}"\n' if baseline else ""
    return f"schema = 1\n{named}{''.join(criteria)}"


WAIT = primary("wait", "v2v_ms", 80, "p50")
FAILING_CALLS = primary("failing calls", "tool_failure", 3)
