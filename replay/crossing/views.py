"""A tape as its turns: of what was said, of tools and of latency, in words that providers share."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from recorder.billing import paid
from recorder.derive import derive, seen
from recorder.heads import ResponseHead, header
from recorder.pricing import PriceBook
from recorder.projections import project
from recorder.projections.marks import CostRow, MetricRow
from recorder.projections.rows import Models, TurnRow
from recorder.providers import provider
from recorder.store.base import SessionRow, Store, stored_body
from recorder.trial.record import TARGET, TURN
from recorder.trial.validity import problems
from replay.simulators.common import SEED_HEADER

_MS = 1e6
_NEAR_NS = 200_000_000  # what comes so shortly before a turn is heard may have been caused by it


class Call(NamedTuple):
    """A call of a function: `ms` until it was answered; None if it was not."""

    name: str
    arguments: str
    output: str | None
    failed: bool
    ms: float | None


class Cut(NamedTuple):
    """The caller interrupted the agent, who had been heard for so long, where that is known."""

    heard_ms: float | None


class View(NamedTuple):
    """What a turn became: the words that the provider took the caller's speech for, what the agent
    said, and how long the caller waited for it."""

    heard: str
    said: str
    v2v_ms: float | None
    calls: tuple[Call, ...]
    cut: Cut | None


class Part(NamedTuple):
    """What a component cost; None where a price is not known. `by` is who says so."""

    component: str
    model: str
    usd: Decimal | None
    by: str


class Told(NamedTuple):
    """A tape: `views` are what was before the caller's first turn, then its turns. `doubts` are
    rules of a trial that the caller's side breaks, a line each."""

    row: SessionRow
    views: tuple[View, ...]
    bill: tuple[Part, ...]
    usd: Decimal | None
    fatal: tuple[str, ...]
    ended_by: str | None
    is_simulated: bool
    doubts: tuple[str, ...]


def tell(store: Store, row: SessionRow, starts_ns: Sequence[int]) -> Told:
    """A session whose caller's turns began then."""
    models = project(row.id, seen(store, row.id), provider(row.provider))
    tables = derive(store, row, PriceBook.shipped())
    costs: list[CostRow] = [CostRow(*each) for each in tables["cost_line"]]
    metrics = [MetricRow(*each) for each in tables["metric"]]
    return Told(
        row,
        tuple(views(models, metrics, starts_ns)),
        tuple(_bill(costs)),
        paid(costs),
        tuple(f"{each.code}: {each.text}" for each in models.errors if each.is_fatal),
        models.outline.ended_by,
        _is_simulated(store, row.id),
        _doubts(metrics, len(starts_ns)),
    )


def _doubts(metrics: Iterable[MetricRow], turns: int) -> tuple[str, ...]:
    values = {row.metric: row.value for row in metrics if row.turn is None}
    found = problems(values, 0.0, turns, turns)
    return tuple(f"in a trial this run would not count: {why}" for why in found)


def _is_simulated(store: Store, session: str) -> bool:
    """Whether a simulator told its seed on a tape."""
    heads = (
        ResponseHead.decode(stored_body(each)).headers
        for each in store.events(session)
        if each.sender == "provider" and each.kind in ("ws.open", "http.response")
    )
    return any(header(found, SEED_HEADER) is not None for found in heads)


def noted_starts(store: Store, session: str) -> list[int]:
    """When the turns of a run began, by the notes on its tape."""
    own = {each.channel for each in store.channels(session) if each.target == TARGET}
    return [
        each.at_ns for each in store.events(session) if each.channel in own and each.type == TURN
    ]


def views(models: Models, metrics: Iterable[MetricRow], starts_ns: Sequence[int]) -> list[View]:
    """A view of what is before the first turn, and of each turn."""
    waits = {row.turn: row.value for row in metrics if row.metric == "v2v_ms"}
    calls: list[list[Call]] = [[] for _ in range(len(starts_ns) + 1)]
    cuts: list[Cut | None] = [None] * len(calls)
    turns: list[list[TurnRow]] = [[] for _ in calls]

    def place(at_ns: int | None) -> int:
        return bisect_right(starts_ns, (at_ns or 0) + _NEAR_NS)

    for turn in models.turns:
        turns[place(_moment(turn))].append(turn)
    of_turn = {turn.turn: at for at, each in enumerate(turns) for turn in each}
    for call in models.tool_calls:
        ms = None if call.answered_ns is None else (call.answered_ns - call.called_ns) / _MS
        at = of_turn.get(call.turn, 0)
        made = Call(call.name, call.arguments, call.output, bool(call.failed), ms)
        calls[at].append(made)
    for each in models.interruptions:
        times = (each.detected_ns, each.acted_ns, each.ended_ns)
        at_ns = next((at for at in times if at is not None), None)
        # without times it was the turn after the interrupted one that did it
        untimed = of_turn.get(each.turn + 1, of_turn.get(each.turn, 0))
        cuts[untimed if at_ns is None else place(at_ns)] = Cut(each.heard_ms)
    return [
        View(
            _joined(turn.user_text for turn in mine),
            _joined(turn.agent_text for turn in mine),
            next((waits[turn.turn] for turn in mine if turn.turn in waits), None),
            tuple(calls[at]),
            cuts[at],
        )
        for at, mine in enumerate(turns)
    ]


def _moment(turn: TurnRow) -> int | None:
    """When a turn began; one that the agent began, when it answered."""
    times = (turn.user_started_ns, turn.user_stopped_ns, turn.committed_ns, turn.asked_ns)
    return next(
        (at for at in (*times, turn.response_ns, turn.first_audio_ns) if at is not None), None
    )


def _joined(texts: Iterable[str]) -> str:
    return " ".join(text for text in texts if text)


def _bill(costs: Iterable[CostRow]) -> list[Part]:
    sums: dict[tuple[str, str, str], list[CostRow]] = {}
    for row in costs:
        key = (row.component, row.model or "?", row.charged_by)
        sums.setdefault(key, []).append(row)
    return [Part(part, model, paid(rows), by) for (part, model, by), rows in sums.items()]
