"""The questions in SQL behind the numbers that the page itself makes (docs/sql.md)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_MINUTES: Final = (
    "(coalesce(outline.ended_ns, session.ended_ns) - coalesce(outline.opened_ns, 0))"
    " / 60000000000.0"
)


def values(metric: str, sessions: Sequence[str]) -> str:
    """Every value of a metric in some sessions, the least first."""
    return (
        "SELECT value, session, turn, first_seq, last_seq\nFROM metric\n"
        f"WHERE {_metric(metric, sessions)}\nORDER BY value, session, ordinal;"
    )


def rank(metric: str, sessions: Sequence[str], percent: int) -> str:
    """The value of nearest rank, and where it was measured."""
    where = _metric(metric, sessions)
    return (
        f"SELECT value, session, turn, first_seq, last_seq\nFROM metric\nWHERE {where}\n"
        "ORDER BY value, session, ordinal\n"
        f"LIMIT 1 OFFSET (SELECT (count(*) * {percent} + 99) / 100 - 1\n"
        f"                FROM metric WHERE {where});"
    )


def mean(metric: str, sessions: Sequence[str]) -> str:
    """The mean of a metric over some sessions."""
    return f"SELECT avg(value) AS value, count(*)\nFROM metric\nWHERE {_metric(metric, sessions)};"


def measured(session: str, metric: str, turn: int) -> str:
    """One measured value."""
    return (
        "SELECT value, definition, parameters, first_seq, last_seq\nFROM metric\n"
        f"WHERE session = {text(session)} AND metric = {text(metric)} AND turn = {turn};"
    )


def dollars(sessions: Sequence[str]) -> str:
    """What some sessions cost together."""
    return f"SELECT sum(usd) AS usd\nFROM v_sessions\nWHERE {_within('session', sessions)};"


def minutes(sessions: Sequence[str]) -> str:
    """How long some sessions lasted together, from the open socket to the end."""
    return f"SELECT sum({_MINUTES}) AS minutes\n{_lasting(sessions)};"


def dollars_a_minute(sessions: Sequence[str], component: str | None = None) -> str:
    """What a minute of some sessions cost, in all or for one component."""
    cost = f"(SELECT sum(usd) FROM v_sessions WHERE {_within('session', sessions)})"
    if component is not None:
        cost = (
            "(SELECT sum(CAST(usd AS NUMERIC)) FROM cost_line\n"
            f"   WHERE component = {text(component)} AND {_within('session', sessions)})"
        )
    return f"SELECT {cost}\n  / sum({_MINUTES}) AS usd_per_minute\n{_lasting(sessions)};"


def dollars_a_success(sessions: Sequence[str], successes: int) -> str:
    """What a successful task cost; their number is judged by the checks of the scenarios."""
    return (
        f"SELECT sum(usd) / {successes}.0 AS usd_per_success\nFROM v_sessions\n"
        f"WHERE {_within('session', sessions)};"
    )


def notes(sessions: Sequence[str]) -> str:
    """What the trial noted of its runs, with the interruptions after each cue: when they were
    detected, and how long the agent took to fall silent by sound."""
    return (
        "SELECT event.session, event.seq, event.type, event.body,\n"
        "  event.at_ns / 1000000 AS at_ms, interruption.detected_ns / 1000000 AS detected_ms,\n"
        "  metric.value AS yield_ms\n"
        "FROM event LEFT JOIN interruption ON interruption.session = event.session\n"
        "  AND event.type = 'trial.turn' AND (interruption.detected_ns >= event.at_ns\n"
        "  OR interruption.detected_ns IS NULL AND interruption.first_seq > event.seq)\n"
        "LEFT JOIN metric ON metric.session = interruption.session\n"
        "  AND metric.turn = interruption.turn AND metric.metric = 'yield_ms'\n"
        "WHERE event.type IN ('trial.run', 'trial.turn', 'trial.end')\n"
        f"  AND {_within('event.session', sessions)}\nORDER BY 1, 2;"
    )


def text(value: str) -> str:
    """A value as SQL writes text."""
    doubled = value.replace("'", "''")
    return f"'{doubled}'"


def _lasting(sessions: Sequence[str]) -> str:
    return (
        "FROM session JOIN outline ON outline.session = session.id\n"
        f"WHERE {_within('session.id', sessions)}"
    )


def _metric(metric: str, sessions: Sequence[str]) -> str:
    return f"metric = {text(metric)} AND {_within('session', sessions)}"


def _within(column: str, sessions: Sequence[str]) -> str:
    return f"{column} IN ({', '.join(text(each) for each in sessions)})"
