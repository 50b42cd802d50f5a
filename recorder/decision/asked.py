"""What a decision asks a trial, each answer with the question: nothing is told without it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

from recorder.comparison.result import Comparison
from recorder.features.matrix import Ask

_ORIGINALS: Final = "session_id IN (SELECT session_id FROM v_sessions WHERE origin <> 'replay')"
"""What a replay says is no evidence about a provider."""
_RUNS: Final = (
    "SELECT session.id, session.provider, session.status, body, digest FROM session JOIN v_events"
    " ON v_events.session_id = session.id AND v_events.type = 'trial.run'"
    " WHERE session.trial = :trial AND session.parent IS NULL ORDER BY session.id"
)
_MONEY: Final = (
    "SELECT sum(v_sessions.usd) AS usd, sum(coalesce(outline.ended_ns, session.ended_ns)"
    " - coalesce(opened_ns, 0)) / 60000000000.0 AS minutes, count(*) AS runs,"
    " count(v_sessions.usd) AS priced FROM v_sessions"
    " JOIN session ON session.id = v_sessions.session_id"
    " JOIN outline ON outline.session = v_sessions.session_id"
    " WHERE v_sessions.trial = :trial AND v_sessions.provider = :provider"
    " AND v_sessions.parent IS NULL AND EXISTS (SELECT 1 FROM v_events"
    " WHERE v_events.session_id = v_sessions.session_id AND v_events.type = 'trial.run'){without}"
)
_METERS: Final = (
    "SELECT meter, model, sum(quantity) AS quantity, sum(usd) AS usd,"
    " count(*) - count(usd) AS unpriced FROM v_cost WHERE trial = :trial AND provider = :provider"
    " AND component = 'model' AND unit = 'token' AND {originals}{without}"
    " GROUP BY meter, model ORDER BY meter, model"
)
_PARTS: Final = (
    "SELECT component, sum(usd) AS usd, count(*) - count(usd) AS unpriced,"
    " sum(CASE WHEN unit = 'second' THEN quantity END) AS seconds FROM v_cost"
    " WHERE trial = :trial AND provider = :provider"
    " AND {originals}{without}"
    " GROUP BY component ORDER BY usd DESC, component"
)
_MEASURED: Final = (
    "SELECT DISTINCT metric FROM metric JOIN session ON session.id = metric.session"
    " WHERE session.trial = :trial AND session.provider = :provider"
    " AND session.parent IS NULL ORDER BY metric"
)
_MODELS: Final = (
    "SELECT DISTINCT model FROM v_cost WHERE trial = :trial AND provider = :provider"
    " AND component IN ('model', 'transcriber', 'session', 'backend')"
    " AND model IS NOT NULL AND {originals} ORDER BY model"
)
_UNPRICED: Final = (
    "SELECT count(*) - count(usd) AS unpriced FROM v_cost"
    " WHERE trial = :trial AND provider = :provider AND {originals}"
)
_ERRORS: Final = (
    "SELECT count(*) AS errors, count(DISTINCT session_id) AS sessions FROM v_errors"
    " WHERE trial = :trial AND provider = :provider AND {originals}"
)
_TIMEOUTS: Final = (
    'SELECT count(CASE WHEN body LIKE \'%"trigger": "timeout"%\' THEN 1 END) AS by_timeout,'
    " count(*) AS turns FROM v_events JOIN v_sessions"
    " ON v_sessions.session_id = v_events.session_id"
    " WHERE trial = :trial AND provider = :provider AND v_events.type = 'trial.turn'"
    " AND v_sessions.origin <> 'replay'"
)


class Told(NamedTuple):
    """Rows, and the question that they answer."""

    rows: list[tuple[Any, ...]]
    sql: str
    given: Mapping[str, str]


class Run(NamedTuple):
    """A run with its tape; `digest` is that of the tape, empty until it has ended."""

    session: str
    provider: str
    status: str
    scenario: str
    file: str
    sha256: str
    repeat: int
    lacking: tuple[str, ...]
    digest: str


class Money(NamedTuple):
    """What the valid runs of an arm cost. `usd` is None where a price is not known."""

    usd: Decimal | None
    minutes: float
    runs: int
    told: Told

    @property
    def per_minute(self) -> float | None:
        """Dollars a minute."""
        if self.usd is None or not self.minutes:
            return None
        return float(self.usd) / self.minutes


class Asking:
    """Asks about one trial. What a comparison excludes is left out where money is counted."""

    def __init__(self, ask: Ask, comparison: Comparison) -> None:
        self._ask = ask
        self._trial = comparison.trial
        self._without = {session for each in comparison.exclusions for session in each.sessions}

    def told(self, sql: str, provider: str | None = None) -> Told:
        """The rows of a question, about one provider or about all."""
        sql = sql.replace("{originals}", _ORIGINALS).replace("{without}", self._clause())
        given = {"trial": self._trial} | ({"provider": provider} if provider else {})
        return Told(self._ask(sql, given), sql, given)

    def _clause(self) -> str:
        if not self._without:
            return ""
        names = ", ".join(f"'{each}'" for each in sorted(self._without))
        return f" AND session_id NOT IN ({names})"

    def runs(self) -> tuple[list[Run], Told]:
        """The runs with their tapes, in the order in which they were recorded."""
        told = self.told(_RUNS)
        return [_run(row) for row in told.rows], told

    def money(self, provider: str) -> Money:
        """What the valid runs of an arm cost, and how long they took."""
        told = self.told(_MONEY, provider)
        [(usd, minutes, runs, priced)] = told.rows
        known = None if priced < runs or usd is None else Decimal(str(usd))
        return Money(known, float(minutes or 0), int(runs), told)

    def meters(self, provider: str) -> Told:
        """Tokens of the model by meter: meter, model, quantity, dollars, lines without a price."""
        return self.told(_METERS, provider)

    def parts(self, provider: str) -> Told:
        """The bill of the valid runs by component: component, dollars, lines without a price, and
        the seconds that were charged, where it is charged by the second."""
        return self.told(_PARTS, provider)

    def measured(self, provider: str) -> Told:
        """The metrics of which the tapes of an arm have evidence."""
        return self.told(_MEASURED, provider)

    def models(self, provider: str) -> Told:
        """The models that an arm was charged for."""
        return self.told(_MODELS, provider)

    def unpriced(self, provider: str) -> Told:
        """How many lines of its bills have no price."""
        return self.told(_UNPRICED, provider)

    def errors(self, provider: str) -> Told:
        """How many errors, in how many sessions."""
        return self.told(_ERRORS, provider)

    def timeouts(self, provider: str) -> Told:
        """How many turns began although what they waited for did not come, of how many."""
        return self.told(_TIMEOUTS, provider)


def _run(row: Sequence[Any]) -> Run:
    facts = json.loads(row[3])
    return Run(
        *(row[0], row[1], row[2], facts["scenario"], facts.get("file", ""), facts["sha256"]),
        *(facts["repeat"], tuple(facts.get("lacking", ())), bytes(row[4] or b"").hex()),
    )
