"""The table of features, filled: each cell with what a trial shows, and with what is documented."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, NamedTuple

from recorder.errors import RecorderError
from recorder.features.definitions import Claim, Column, Definitions, Feature, Query

Ask = Callable[[str, Mapping[str, str]], list[tuple[Any, ...]]]
"""Asks a store one question in SQL that cannot change it; `given` are the `:name`s."""

State = Literal["shown", "documented", "not tested"]

_PROVIDERS: Final = (
    "SELECT DISTINCT provider FROM v_sessions WHERE trial = :trial AND origin <> 'replay'"
    " ORDER BY provider"
)
_SESSIONS: Final = (
    "SELECT count(DISTINCT v_sessions.session_id) AS sessions, "
    "count(DISTINCT CASE WHEN v_sessions.origin = 'simulate' OR v_events.body LIKE "
    '\'%"target": "simulator"%\' OR v_events.body LIKE \'%"x-simulator-seed"%\' '
    "THEN v_sessions.session_id END) AS simulated "
    "FROM v_sessions LEFT JOIN v_events ON v_events.session_id = v_sessions.session_id "
    "AND (v_events.type = 'trial.run' OR v_events.sender = 'provider' "
    "AND v_events.kind IN ('ws.open', 'http.response')) "
    "WHERE v_sessions.trial = :trial AND v_sessions.provider = :provider "
    "AND v_sessions.origin <> 'replay'"
)


class Shown(NamedTuple):
    """What a query told: `shown` of `of` times. `sql` and `given` ask again."""

    shown: int
    of: int
    text: str
    sql: str
    given: Mapping[str, str]


class Cell(NamedTuple):
    """A feature at a provider. What was shown comes first; what is documented stands beside it."""

    shown: Shown | None
    claim: Claim | None

    @property
    def state(self) -> State:
        """Which evidence there is."""
        if self.shown:
            return "shown"
        return "documented" if self.claim else "not tested"


class Arm(NamedTuple):
    """A column with its sessions in the trial; `simulated` are those that a simulator answered."""

    column: Column
    sessions: int
    simulated: int


class Row(NamedTuple):
    """A feature with its cells, in the order of the columns."""

    feature: Feature
    cells: tuple[Cell, ...]


class Matrix(NamedTuple):
    """The whole table."""

    trial: str
    arms: tuple[Arm, ...]
    rows: tuple[Row, ...]

    @property
    def simulated(self) -> tuple[str, ...]:
        """The names of the columns in which something that is shown was shown by a simulator."""
        return tuple(arm.column.name for arm in self.arms if arm.simulated)


def fill(found: Definitions, trial: str, ask: Ask) -> Matrix:
    """The table for a trial. A provider that has no column gets one, for what is shown.
    RecorderError if there is no such trial, or if a row's query fails."""
    providers = [str(name) for (name,) in ask(_PROVIDERS, {"trial": trial})]
    if not providers:
        raise RecorderError(
            f"no sessions of trial {trial!r}, replays aside: `record sessions` lists all"
        )
    known = {column.sessions for column in found.columns}
    others = [Column(name, name, name) for name in providers if name not in known]
    arms = tuple(_arm(column, trial, ask) for column in (*found.columns, *others))
    rows = tuple(
        Row(feature, tuple(_cell(feature, arm, trial, ask) for arm in arms))
        for feature in found.features
    )
    return Matrix(trial, arms, rows)


def _arm(column: Column, trial: str, ask: Ask) -> Arm:
    if column.sessions is None:
        return Arm(column, 0, 0)
    [(sessions, simulated)] = ask(_SESSIONS, {"trial": trial, "provider": column.sessions})
    return Arm(column, int(sessions), int(simulated))


def _cell(feature: Feature, arm: Arm, trial: str, ask: Ask) -> Cell:
    query = feature.query(arm.column.id)
    shown = None
    if query and arm.sessions:
        given = {"trial": trial, "provider": str(arm.column.sessions)}
        shown = _shown(feature, query, given, ask)
    return Cell(shown, feature.claims.get(arm.column.id))


def _shown(feature: Feature, query: Query, given: Mapping[str, str], ask: Ask) -> Shown | None:
    """None where it was never tried."""
    try:
        rows = ask(query.sql, given)
    except RecorderError as error:
        raise RecorderError(f"feature {feature.id}: {error}") from None
    if len(rows) != 1 or len(rows[0]) != 2 or not all(_is_count(each) for each in rows[0]):
        raise RecorderError(
            f"feature {feature.id}: its query has to give one row of two counts, not {rows[:2]!r}"
        )
    shown, of = (int(each) for each in rows[0])
    if shown > of:
        raise RecorderError(f"feature {feature.id}: shown {shown} of {of} times; mend its query")
    if not of:
        return None
    return Shown(shown, of, query.text.format(shown=shown, of=of), query.sql, given)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and value >= 0
