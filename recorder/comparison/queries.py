"""The questions in SQL behind each number: they give the raw values, a row each (docs/sql.md)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from recorder.comparison.result import Criterion

_RUN: Final = "(SELECT body FROM event WHERE event.session = session.id AND type = 'trial.run')"
_NOTES: Final = (
    "SELECT session.provider, event.session, event.seq, event.type, event.body,"
    " interruption.detected_ns / 1000000 AS detected_ms, metric.value AS yield_ms,"
    " event.at_ns / 1000000 AS at_ms"
    " FROM session JOIN event ON event.session = session.id"
    " LEFT JOIN interruption ON interruption.session = session.id"
    " AND (interruption.detected_ns >= event.at_ns"
    " OR interruption.detected_ns IS NULL AND interruption.first_seq > event.seq)"
    " LEFT JOIN metric ON metric.session = interruption.session"
    " AND metric.turn = interruption.turn AND metric.metric = 'yield_ms'"
    " WHERE {of} AND event.type = 'trial.turn' ORDER BY 1, 2, 3"
)
_COUNTED: Final = {
    "task_success": (
        "SELECT session.provider, event.session, event.type, event.body FROM session"
        " JOIN event ON event.session = session.id"
        " WHERE {of} AND event.type IN ('trial.run', 'trial.end') ORDER BY 1, 2, event.seq"
    ),
    "tool_failure": (
        "SELECT session.provider, tool_call.session, {run} AS run, tool_call.turn, tool_call.name,"
        " tool_call.failed, tool_call.output FROM tool_call"
        " JOIN session ON session.id = tool_call.session"
        " WHERE {of} AND tool_call.failed IS NOT NULL ORDER BY 1, 2, tool_call.ordinal"
    ),
    "response_rate": (
        "SELECT session.provider, metric.session, {run} AS run, metric.metric, metric.value"
        " FROM metric JOIN session ON session.id = metric.session"
        " WHERE {of} AND metric.metric IN ('turns_answered', 'turns_late', 'turns_missed')"
        " ORDER BY 1, 2, 4"
    ),
    "yields": _NOTES,
    "false_stops": _NOTES,
}
_MEASURED: Final = (
    "SELECT session.provider, metric.session, {run} AS run, metric.turn, metric.value FROM metric"
    " JOIN session ON session.id = metric.session"
    " WHERE {of} AND metric.metric = {metric} ORDER BY 1, 2, 4"
)
_MONEY: Final = (
    "SELECT v_sessions.provider, v_sessions.session, {run} AS run, v_sessions.usd,"
    " (SELECT value FROM metric WHERE metric.session = session.id"
    " AND metric.metric = 'usd_per_minute') AS usd_per_minute"
    " FROM v_sessions JOIN session ON session.id = v_sessions.session WHERE {of} ORDER BY 1, 2"
)


def query(criterion: Criterion, trial: str, arms: Sequence[str], without: Sequence[str]) -> str:
    """The raw values of a criterion, over the runs of some arms but those of `without`."""
    of = f"session.trial = {_text(trial)} AND session.provider IN ({_texts(arms)})"
    of += f" AND session.parent IS NULL AND {_RUN} IS NOT NULL"
    if without:
        of += f" AND session.id NOT IN ({_texts(sorted(without))})"
    found = _MONEY if criterion.statistic == "ratio" else _MEASURED
    found = _COUNTED.get(criterion.metric, found)
    return found.format(of=of, run=_RUN, metric=_text(criterion.metric))


def _texts(values: Sequence[str]) -> str:
    return ", ".join(_text(value) for value in values)


def _text(value: str) -> str:
    doubled = value.replace("'", "''")
    return f"'{doubled}'"
